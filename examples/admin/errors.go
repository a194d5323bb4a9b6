package main

import (
	"errors"
	"fmt"

	"github.com/aws/smithy-go"

	"github.com/devicetokens/devicetokens/examples/internal/awsenv"
	"github.com/devicetokens/devicetokens/sqlstore"
	"github.com/devicetokens/devicetokens/store"
)

// errNothing says that nothing is stored for what was asked. Its exit code is
// exitNothing.
var errNothing = errors.New("nothing is stored")

// again says what to do about an error of a change.
func again(err error) error {
	if errors.Is(err, store.ErrTryAgain) {
		return fmt.Errorf("it may have happened or not, run it again: %w", err)
	}
	return err
}

// explain is the error of a call that this program made itself. As in
// dynamostore, its text has DynamoDB's code and not its message, which may have
// keys in it.
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

// hintFor says what the text of an error leaves out, "" if there is nothing.
func hintFor(err error) string {
	if network := awsenv.NetworkError(err); network != nil {
		return network.Error()
	}
	if statement := (*sqlstore.StatementError)(nil); errors.As(err, &statement) && statement.Code == undefinedTable {
		return "the database has no table of registrations: 'admin copy' and 'admin import' create it"
	}
	switch code := codeOf(err); {
	case code == "ResourceNotFoundException":
		return noSuchTable
	case accessDenied(code):
		return "'admin doctor' says what this identity may do"
	}
	return ""
}

// undefinedTable is PostgreSQL's code.
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
