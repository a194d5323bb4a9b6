// Package awsenv finds region and credentials as the AWS CLI does, and says at
// once if there are none: left to the first call, that looks like a service which
// does not answer.
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

// What the environment may lack.
var (
	ErrNoRegion      = errors.New("which region of AWS? set AWS_REGION, or AWS_PROFILE")
	ErrNoCredentials = errors.New("no credentials of AWS were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
)

// Load returns the configuration; region, if it is not empty, comes before the
// environment's. The SDK's own lines of a log are left out: they would come
// between those of a program, and what matters comes as an error.
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

// NetworkError returns why a call of the SDK got no answer, such as a refused
// connection or a host that there is not, or nil if the network is not why. Its
// text has an address and nothing of the request.
func NetworkError(err error) error {
	var network *net.OpError
	if !errors.As(err, &network) {
		return nil
	}
	return network
}
