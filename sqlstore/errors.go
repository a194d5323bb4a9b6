package sqlstore

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"strings"

	"github.com/devicetokens/devicetokens/store"
)

// A StatementError is the error of a failed statement. It matches
// [store.ErrTryAgain], [store.ErrMisconfigured] or the context's error if one of
// them applies, and wraps the driver's error for [errors.As]. Its text contains no
// keys or values. The text of the driver's error may contain them.
type StatementError struct {
	Operation store.Operation // the method whose statement failed
	Code      string          // SQLSTATE, or SQLite's result code; "" if the database did not respond
	matches   []error
	repeat    bool
	err       error
}

var _ error = (*StatementError)(nil)

// Error returns the operation, the code and the errors that e matches, for example
// "sqlstore: register: code 42P01: store: misconfigured".
func (e *StatementError) Error() string {
	var b strings.Builder
	b.WriteString("sqlstore: " + string(e.Operation) + ": ")
	if e.Code == "" {
		b.WriteString("no response")
	} else {
		b.WriteString("code " + e.Code)
	}
	for _, m := range e.matches {
		b.WriteString(": " + m.Error())
	}
	return b.String()
}

// Unwrap returns the errors that e matches, the driver's error last.
func (e *StatementError) Unwrap() []error {
	return append(e.matches[:len(e.matches):len(e.matches)], e.err)
}

// A kind classifies an error of the database by how a caller handles it.
type kind int

const (
	other         kind = iota // none of the others: unexpected
	repeatable                // nothing was changed, and a retry may succeed at once
	tryAgain                  // temporary, or the outcome is unknown
	misconfigured             // a retry does not help
)

func (op *operation) failed(ctx context.Context, err error) error {
	k, code := op.store.dialect.kindOf(err)
	e := &StatementError{Operation: op.event.Operation, Code: code, err: err}
	switch ctxErr := ctx.Err(); {
	case ctxErr != nil:
		e.matches = op.contextEnded(ctxErr)
	case k == misconfigured:
		e.matches = []error{store.ErrMisconfigured}
	case k == tryAgain || k == repeatable:
		e.matches, e.repeat = []error{store.ErrTryAgain}, k == repeatable
	}
	return e
}

// contextEnded returns the errors that match if the context ended during the operation. A
// write may have been applied, or may be applied after the call has returned.
func (op *operation) contextEnded(ctxErr error) []error {
	if op.writes {
		return []error{store.ErrTryAgain, ctxErr}
	}
	return []error{ctxErr}
}

// postgresKind classifies by SQLSTATE. Source: "PostgreSQL Error Codes", appendix A
// of its manual.
func postgresKind(err error) (kind, string) {
	var coded interface{ SQLState() string }
	if !errors.As(err, &coded) {
		return unansweredKind(err), ""
	}
	code := coded.SQLState()
	if len(code) != len("00000") {
		return tryAgain, ""
	}
	switch code {
	case "40001", // serialization_failure
		"40P01", // deadlock_detected
		"23505", // unique_violation: another writer took no lock
		"0A000": // feature_not_supported: "cached plan must not change result type", after a change of the table
		return repeatable, code
	case "55P03", // lock_not_available
		"55006",                            // object_in_use
		"57014",                            // query_canceled: statement_timeout
		"57P01", "57P02", "57P03", "57P05", // shutdown, crash, start, idle_session_timeout
		"25006",          // read_only_sql_transaction: the server has become a replica
		"25P03", "25P04": // idle_in_transaction_session_timeout, transaction_timeout
		return tryAgain, code
	case "53100": // disk_full
		return other, code
	case "3D000", "3F000", // no such database, schema
		"42P01", "42703", "42883", "42P10", "42804", // no such table, column, function, unique index; type of a column
		"42501",          // insufficient_privilege
		"42P05", "26000", // prepared statements behind a pooler
		"22021", "22P05", // encoding of the database
		"57P04": // database_dropped
		return misconfigured, code
	}
	switch code[:2] {
	case "08", "40", "53", "58": // connection, rollback, resources, system
		return tryAgain, code
	case "28": // authorization
		return misconfigured, code
	}
	return other, code
}

// unansweredKind classifies an error without a code. The statement may have been
// applied, unless the configuration prevents every connection.
func unansweredKind(err error) kind {
	var (
		host        *net.DNSError
		certificate *tls.CertificateVerificationError
	)
	if errors.As(err, &host) && host.IsNotFound || errors.As(err, &certificate) {
		return misconfigured
	}
	return tryAgain
}

func codeOf(err error) (int, bool) {
	var coded interface{ Code() int }
	if !errors.As(err, &coded) {
		return 0, false
	}
	return coded.Code(), true
}

// sqliteKind classifies by the primary result code. Source: "Result and Error
// Codes" in SQLite's documentation.
func sqliteKind(err error, codeOf func(error) (int, bool)) (kind, string) {
	code, ok := codeOf(err)
	if !ok {
		return tryAgain, ""
	}
	text := strconv.Itoa(code)
	switch code & 0xff { // the rest is the extension
	case 5, 6: // BUSY, LOCKED
		return repeatable, text
	case 9, 17: // INTERRUPT, SCHEMA
		return tryAgain, text
	case 1, 3, 8, 12, 14, 23, 26: // ERROR (no such table), PERM, READONLY, NOTFOUND, CANTOPEN, AUTH, NOTADB
		return misconfigured, text
	}
	return other, text
}
