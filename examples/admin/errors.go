package main

import (
	"errors"
	"fmt"

	"github.com/aws/smithy-go"

	"github.com/devicetokens/devicetokens/examples/internal/awsenv"
	"github.com/devicetokens/devicetokens/sqlstore"
	"github.com/devicetokens/devicetokens/store"
)

// errNothing means that there is no matching registration. Its exit code is
// exitNothing.
var errNothing = errors.New("nothing is stored")

// again adds advice to an error of a write.
func again(err error) error {
	if errors.Is(err, store.ErrTryAgain) {
		return fmt.Errorf("the change may or may not have been applied, run the command again: %w", err)
	}
	return err
}

// explain wraps the error of a DynamoDB call that this program makes. As in package
// dynamostore, its text has the error code but not the message, which may contain
// keys.
func explain(call string, err error) error {
	return &callError{call, err}
}

type callError struct {
	call string
	err  error
}

var _ error = (*callError)(nil)

func (e *callError) Error() string { return "dynamodb " + e.call + ": " + codeOf(e.err) }

func (e *callError) Unwrap() error { return e.err }

// hintFor returns advice for an error, or "".
func hintFor(err error) string {
	if network := awsenv.NetworkError(err); network != nil {
		return network.Error()
	}
	if statement := (*sqlstore.StatementError)(nil); errors.As(err, &statement) && statement.Code == undefinedTable {
		return "the database has no table of registrations: create it with 'admin copy' or 'admin import'"
	}
	switch code := codeOf(err); {
	case code == "ResourceNotFoundException":
		return noSuchTable
	case accessDenied(code):
		return "run 'admin doctor' to check the permissions of this identity"
	}
	return ""
}

// undefinedTable is PostgreSQL's SQLSTATE for a missing table.
const undefinedTable = "42P01"

const noAnswer = "no response"

// codeOf returns DynamoDB's code for an error, or noAnswer.
func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return noAnswer
}
