package ablation

import "testing"

// TestRulesApply fails when the store's code has moved on and a rule has not.
func TestRulesApply(t *testing.T) {
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			if _, err := r.without(); err != nil {
				t.Error(err)
			}
		})
	}
}
