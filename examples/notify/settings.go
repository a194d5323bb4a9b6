package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/sender"
	"github.com/devicetokens/devicetokens/tokens"
)

// settings are what the command line and the environment say.
type settings struct {
	user, users string // one of them
	table       string
	demo        bool
	outbox      string
	expoURL     string
	accessToken string
	content     expo.Content
	data        map[string]any
	sender      sender.Options

	registry sender.Registry // of a demonstration or a test
}

const usage = `notify sends a push notification to the devices of one user or of millions.

    notify -table NAME -users FILE -title TEXT [-body TEXT]
    notify -table NAME -user ID -title TEXT [-body TEXT]
    notify -demo

`

const afterFlags = `
AWS's region and credentials are found as the AWS CLI finds them; for DynamoDB Local set AWS_ENDPOINT_URL_DYNAMODB.
EXPO_ACCESS_TOKEN is sent to Expo if it is set; "enhanced security for push notifications" requires it.

Exit code: 0 all done, 1 not done (run the same again to go on), 2 wrong command line.
`

// parse reads the command line.
func parse(args []string, stderr io.Writer) (settings, error) {
	c := settings{accessToken: os.Getenv("EXPO_ACCESS_TOKEN")}
	var data string
	flags := flag.NewFlagSet("notify", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
		fmt.Fprint(stderr, afterFlags)
	}
	flags.StringVar(&c.users, "users", "", "`FILE` of user ids, one a line, each once; it must stay as it is until the job is done")
	flags.StringVar(&c.user, "user", "", "the `ID` of one user")
	flags.StringVar(&c.table, "table", "", "`NAME` of the DynamoDB table of registrations")
	flags.BoolVar(&c.demo, "demo", false, "notify a thousand made-up users of a made-up Expo, in memory")
	flags.StringVar(&c.content.Title, "title", "", "`TEXT` of the title")
	flags.StringVar(&c.content.Body, "body", "", "`TEXT` below it")
	flags.StringVar(&data, "data", "", "`JSON` object for the app; the recipient's id is added as \"recipient\"")
	flags.StringVar(&c.outbox, "outbox", "notify.outbox", "`FILE` that keeps what was done; one for each job")
	flags.StringVar(&c.expoURL, "expo", expo.DefaultURL, "`URL` of Expo's push API")
	flags.Float64Var(&c.sender.PerSecond, "rate", sender.DefaultPerSecond, "notifications a second for each Expo project, of which Expo takes 600")
	flags.IntVar(&c.sender.Workers, "concurrency", 6, "requests to Expo at once")
	flags.DurationVar(&c.sender.TokenAge, "token-age", 5*time.Second, "greatest age of a token when it is sent; 0 reads each once more")
	flags.DurationVar(&c.sender.ReceiptDelay, "receipt-delay", expo.ReceiptDelay, "time from a message to its receipt")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if flags.NArg() > 0 {
		return c, errors.New("flags only")
	}
	return c, c.check(data)
}

func (c *settings) check(data string) error {
	if data != "" && json.Unmarshal([]byte(data), &c.data) != nil {
		return errors.New("-data is not a JSON object")
	}
	if c.demo {
		if c.table != "" || c.user != "" || c.users != "" {
			return errors.New("-demo has a table and users of its own")
		}
		if c.content.Title == "" {
			c.content = expo.Content{Title: "Hello", Body: "This reaches nobody"}
		}
	} else {
		switch {
		case c.table == "" && c.registry == nil:
			return errors.New("-table or -demo is needed")
		case (c.user == "") == (c.users == ""):
			return errors.New("either -user or -users is needed")
		case c.content.Title == "" && c.content.Body == "":
			return errors.New("-title or -body is needed")
		}
		if err := tokens.UserID(c.user).Validate(); c.user != "" && err != nil {
			return fmt.Errorf("-user: %w", err)
		}
	}
	if at, err := url.Parse(c.expoURL); err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return errors.New("-expo is no URL of HTTP")
	}
	if c.sender.PerSecond <= 0 || c.sender.Workers <= 0 || c.sender.ReceiptDelay <= 0 || c.sender.TokenAge < 0 {
		return errors.New("-rate, -concurrency and -receipt-delay must be above 0, -token-age at least 0")
	}
	return c.fits()
}

// fits reports whether the message is short enough for every user's id.
func (c *settings) fits() error {
	longest := map[string]any{"recipient": strings.Repeat("\\", tokens.MaxUserIDLen)}
	for key, value := range c.data {
		longest[key] = value
	}
	n, err := expo.Message{Content: c.content, Data: longest}.PayloadBytes()
	if err == nil && n > expo.MaxPayloadBytes {
		err = fmt.Errorf("the message has %d bytes with the longest user id, and Expo takes %d", n, expo.MaxPayloadBytes)
	}
	return err
}
