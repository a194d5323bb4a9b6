// Package awsenv loads the AWS region and credentials like the AWS CLI. It fails at
// once if they are missing, because the first call of the SDK would fail late and
// with an unclear error.
package awsenv

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
)

// The errors for missing settings.
var (
	ErrNoRegion      = errors.New("no AWS region: set AWS_REGION or AWS_PROFILE")
	ErrNoCredentials = errors.New("no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
)

// Load returns the configuration. A region that is not empty overrides the
// environment's. Load disables the SDK's own log, because it would mix with the
// output of the program; failures are returned as errors.
func Load(ctx context.Context, region string) (aws.Config, error) {
	load := []func(*config.LoadOptions) error{config.WithLogger(logging.Nop{})}
	if region != "" {
		load = append(load, config.WithRegion(region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return aws.Config{}, err
	}
	if cfg.Region == "" {
		return aws.Config{}, ErrNoRegion
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		if ctx.Err() != nil {
			return aws.Config{}, ctx.Err()
		}
		return aws.Config{}, fmt.Errorf("%w: %w", ErrNoCredentials, err)
	}
	return cfg, nil
}

// NetworkError returns the network error in err, such as a refused connection or an
// unknown host, or nil if there is none. Its text contains an address, but no data
// of the request.
func NetworkError(err error) error {
	var network *net.OpError
	if !errors.As(err, &network) {
		return nil
	}
	return network
}
