package awsenv_test

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/examples/internal/awsenv"
)

// setEnvironment removes the settings of this machine.
func setEnvironment(t *testing.T, region, key string) {
	for name, value := range map[string]string{
		"AWS_REGION": region, "AWS_DEFAULT_REGION": "", "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": key,
		"AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "",
	} {
		t.Setenv(name, value)
	}
}

func TestLoad(t *testing.T) {
	for _, tc := range []struct {
		name, region, key, flag string
		want                    error
		wantRegion              string
	}{
		{"all", "eu-central-1", "local", "", nil, "eu-central-1"},
		{"a flag", "eu-central-1", "local", "us-east-1", nil, "us-east-1"},
		{"no region", "", "local", "", awsenv.ErrNoRegion, ""},
		{"no credentials", "eu-central-1", "", "", awsenv.ErrNoCredentials, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			setEnvironment(t, tc.region, tc.key)
			cfg, err := awsenv.Load(t.Context(), tc.flag)
			if !errors.Is(err, tc.want) || cfg.Region != tc.wantRegion {
				t.Errorf("region is %q, %v; want %q, %v", cfg.Region, err, tc.wantRegion, tc.want)
			}
		})
	}
}

// A store says that there was no answer, and this says why.
func TestNetworkError(t *testing.T) {
	setEnvironment(t, "us-east-1", "local")
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + listener.Addr().String()
	_ = listener.Close() // so that connections are refused
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	cfg, err := awsenv.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	client := dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) { o.BaseEndpoint = &url })
	s, err := dynamostore.New(client, "devices", dynamostore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.List(t.Context(), "alice")
	if network := awsenv.NetworkError(err); network == nil || !strings.Contains(network.Error(), "refused") {
		t.Errorf("%v: got %v", err, network)
	}
	if network := awsenv.NetworkError(errors.New("other")); network != nil {
		t.Errorf("got %v", network)
	}
}
