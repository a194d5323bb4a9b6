package infrastructure

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The capacity in the document of the access patterns is reckoned with the
// throttle that is deployed. The document is held to its generator by a test of
// dynamostore.
func TestCapacityKnowsTheThrottle(t *testing.T) {
	text, err := os.ReadFile("../docs/infra/device-token-access-patterns.md")
	if err != nil {
		t.Fatal(err)
	}
	eachStage(t, func(t *testing.T, _ string, p plan) {
		methods := p.resources("aws_api_gateway_method_settings")
		if len(methods) == 0 {
			t.Fatal("the plan has no method settings")
		}
		for _, r := range methods {
			var v struct {
				Settings []struct {
					Rate float64 `json:"throttling_rate_limit"`
				}
			}
			r.decode(t, &v)
			for _, s := range v.Settings {
				if says := fmt.Sprintf("The API's throttle, %.0f requests a second for each method", s.Rate); !strings.Contains(string(text), says) {
					t.Errorf("%s: the document does not say %q", r.Address, says)
				}
			}
			if len(v.Settings) == 0 {
				t.Errorf("%s has no settings", r.Address)
			}
		}
	})
}
