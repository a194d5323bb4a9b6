package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const (
	tokenA = "ExponentPushToken[aaaaaaaaaaaaaaaaaaaaaa]"
	tokenB = "ExponentPushToken[bbbbbbbbbbbbbbbbbbbbbb]"

	bareToken = "1a2B3c4D-aaaa-BBBB-0000-0123456789aZ"
)

// A desk runs the command, on a table of its own.
type desk struct {
	t           *testing.T
	table       string
	client      *dynamodb.Client
	store       store.Store
	transport   http.RoundTripper
	stores      map[string]walkedStore
	logInterval time.Duration
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	credentials(t)
	client := dynamotest.Client(t, nil)
	table := dynamotest.Table(t, client)
	return &desk{t: t, table: table, client: client, store: dynamotest.Store(t, client, table, dynamostore.Options{})}
}

// credentials sets those of dynamotest, and hides this machine's.
func credentials(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": "us-east-1", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
}

type outcome struct {
	code     int
	out, err string
}

// run runs the command with a standard input, which is not a terminal.
func (d *desk) run(stdin string, args ...string) outcome {
	d.t.Helper()
	var out, err bytes.Buffer
	code := d.program(strings.NewReader(stdin), &out, &err).run(d.t.Context(), append([]string{"--endpoint", dynamotest.Endpoint(d.t)}, args...))
	return outcome{code, out.String(), err.String()}
}

func (d *desk) program(in io.Reader, out, err io.Writer) *program {
	return &program{
		in: in, out: out, err: err, transport: d.transport, logInterval: d.logInterval, stores: d.stores,
		getenv: func(name string) string { return map[string]string{envTable: d.table}[name] },
	}
}

func (o outcome) lacks(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(o.out+o.err, text) {
			t.Errorf("it shows %q:\n%s%s", text, o.out, o.err)
		}
	}
}

func (o outcome) want(t *testing.T, code int, texts ...string) {
	t.Helper()
	if o.code != code {
		t.Errorf("exit code is %d, want %d", o.code, code)
	}
	for _, text := range texts {
		if !strings.Contains(o.out+o.err, text) {
			t.Errorf("it does not say %q", text)
		}
	}
	if t.Failed() {
		t.Logf("it wrote\n%s\nand, as errors,\n%s", o.out, o.err)
	}
}

func read[T any](t *testing.T, o outcome) T {
	t.Helper()
	var v T
	d := json.NewDecoder(strings.NewReader(o.out))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in\n%s\nand\n%s", err, o.out, o.err)
	}
	return v
}

func (d *desk) register(user tokens.UserID, device tokens.DeviceID, token string) tokens.Registration {
	d.t.Helper()
	result, err := d.store.Register(d.t.Context(), tokens.Request{
		Key: tokens.Key{UserID: user, DeviceID: device}, Token: tokens.MustParseToken(token), Platform: tokens.IOS,
	})
	d.check(err)
	return result.Registration
}

// put stores a row, such as one of the earlier service.
func (d *desk) put(row map[string]string) {
	d.t.Helper()
	item := dynamotest.Item{}
	for name, value := range row {
		item[name] = dynamotest.S(value)
		if name == "expiresAt" {
			item[name] = dynamotest.N(value)
		}
	}
	_, err := d.client.PutItem(d.t.Context(), &dynamodb.PutItemInput{TableName: &d.table, Item: item})
	d.check(err)
}

func (d *desk) check(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func olderRow(user, device, token string) map[string]string {
	return map[string]string{
		"userId": user, "deviceId": device, "expoPushToken": token, "platform": "android",
		"registeredAt": "2024-02-01T00:00:00.000Z", "updatedAt": "2024-02-01T00:00:00.000Z",
	}
}

// statuses returns what list shows, by device.
func (d *desk) statuses(user string) map[string]string {
	d.t.Helper()
	statuses := map[string]string{}
	for _, v := range read[[]view](d.t, d.run("", "list", user, "-o", "json")) {
		statuses[string(v.DeviceID)] = v.Status
	}
	return statuses
}

func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// TestProgram builds the program and runs it as an operator does.
func TestProgram(t *testing.T) {
	d := newDesk(t)
	d.register("alice", "phone", tokenA)
	binary := filepath.Join(t.TempDir(), "admin")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Setenv(envTable, d.table)
	for stdin, want := range map[string]int{tokenA: exitOK, tokenB: exitNothing} {
		var out, errs bytes.Buffer
		cmd := exec.CommandContext(t.Context(), binary, "--endpoint", dynamotest.Endpoint(t), "holder")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
		_ = cmd.Run() // its exit code is compared
		equal(t, "exit code", want, cmd.ProcessState.ExitCode())
		if (want == exitOK) != strings.Contains(out.String(), "alice") || (want == exitOK) != (errs.Len() == 0) {
			t.Errorf("it wrote\n%s\nand, as errors,\n%s", &out, &errs)
		}
	}
}

// TestHelp checks that each command has a line in the README.
func TestHelp(t *testing.T) {
	d := &desk{t: t, table: "a-table"}
	readme, err := os.ReadFile("README.md")
	d.check(err)
	help := d.run("", "--help")
	help.want(t, exitOK, "Available Commands:")
	help.lacks(t, d.table)
	for _, command := range regexp.MustCompile(`(?m)^  ([a-z]+)  `).FindAllStringSubmatch(help.out, -1) {
		if name := command[1]; !strings.Contains(string(readme), "admin "+name) {
			t.Errorf("README has no command line of admin %s", name)
		}
	}
	d.run("", "upgrade", "--help").want(t, exitOK, "admin upgrade [flags]", "--dry-run")
}
