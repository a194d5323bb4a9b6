package main

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/spf13/cobra"

	"github.com/devicetokens/devicetokens/examples/internal/awsenv"
)

// A finding is what doctor says of one thing.
type finding struct {
	Check   string  `json:"check"`
	Verdict verdict `json:"verdict"`
	Says    string  `json:"says"`
}

// A verdict is how a check ended.
type verdict string

const (
	good    verdict = "ok"
	warning verdict = "warning" // it works, and yet is not as it should be
	wrong   verdict = "WRONG"
	unknown verdict = "UNKNOWN" // it could not be looked at
)

// A check looks at one thing. Some look at the table's description, which is nil
// if it could not be had.
type check struct {
	name string
	look func(context.Context, *dynamodb.Client, string) (verdict, string)
}

func (p *program) doctor() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Say what is wrong with the table, or with what this identity may do",
		Long: "Looks at the table's keys, its TTL, point-in-time recovery, encryption and protection, and whether this\n" +
			"identity may do what the library does. Run it with the service's credentials to check those. It reads and\n" +
			"writes nothing of a user's: writes are tried on a key that nobody can have, under a condition that is false.\n" +
			"Its exit code is 1 if something is wrong, or could not be looked at.",
		Args: arguments(0, "doctor takes flags only"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := p.client(cmd.Context())
			if err != nil {
				return err
			}
			return p.diagnose(cmd.Context(), client)
		},
	}
}

var errNotWell = errors.New("something is wrong, or could not be looked at")

func (p *program) diagnose(ctx context.Context, client *dynamodb.Client) error {
	var (
		findings []finding
		rows     [][]string
		bad      bool
	)
	note := func(f finding) {
		findings = append(findings, f)
		rows = append(rows, []string{string(f.Verdict), f.Check, f.Says})
		bad = bad || f.Verdict == wrong || f.Verdict == unknown
	}
	for _, f := range p.tableFindings(ctx, client) {
		note(f)
	}
	for _, c := range checks {
		v, says := c.look(ctx, client, p.table)
		note(finding{c.name, v, says})
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := p.show(findings, []string{"VERDICT", "CHECK", "SAYS"}, rows); err != nil {
		return err
	}
	if bad {
		return errNotWell
	}
	return nil
}

const noSuchTable = "there is no such table in this account and region"

// notSeen is the verdict on what could not be looked at.
func notSeen(action string, err error) (verdict, string) {
	switch code := codeOf(err); {
	case accessDenied(code):
		return unknown, "this identity may not dynamodb:" + action + "; look with one that may"
	case code == "UnknownOperationException":
		return unknown, "this endpoint has no " + action + ": it is not AWS"
	case code == "ResourceNotFoundException":
		return wrong, noSuchTable
	case code == noAnswer:
		if network := awsenv.NetworkError(err); network != nil {
			return unknown, "no answer to " + action + ": " + network.Error()
		}
		return unknown, "no answer to " + action
	default:
		return unknown, action + " answered " + code
	}
}

func accessDenied(code string) bool {
	return code == "AccessDeniedException" || code == "AccessDenied" || code == "NotAuthorized"
}
