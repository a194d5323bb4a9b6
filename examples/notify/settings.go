package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/database"
	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/sender"
	"github.com/devicetokens/devicetokens/tokens"
)

// settings are what the command line and the environment say.
type settings struct {
	user, users string // one of them
	db          string
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

    notify -db STORE -users FILE -title TEXT [-body TEXT]
    notify -db STORE -user ID -title TEXT [-body TEXT]
    notify -demo

`

const afterFlags = `
AWS's region and credentials are found as the AWS CLI finds them; for DynamoDB Local set AWS_ENDPOINT_URL_DYNAMODB.
EXPO_ACCESS_TOKEN is sent to Expo if it is set; "enhanced security for push notifications" requires it.

Exit code: 0 all done, 1 some messages failed or are left (run the same again to go on), 2 wrong command line, list or outbox.
`

// parse reads the command line.
func parse(args []string, stderr io.Writer) (settings, error) {
	c := settings{accessToken: os.Getenv("EXPO_ACCESS_TOKEN")}
	var message, title, body, sound, data string
	var maxGone float64
	flags := flag.NewFlagSet("notify", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
		fmt.Fprint(stderr, afterFlags)
	}
	flags.StringVar(&c.users, "users", "", "`FILE` of user ids, one a line, each once; it must stay as it is until the job is done")
	flags.StringVar(&c.user, "user", "", "the `ID` of one user")
	flags.StringVar(&c.db, "db", "", "`STORE` of the registrations: "+database.Names)
	flags.BoolVar(&c.demo, "demo", false, "notify a thousand made-up users of a made-up Expo, in memory")
	flags.StringVar(&message, "message", "", "`FILE` of the message as JSON, with any of "+expo.Fields)
	flags.StringVar(&title, "title", "", "`TEXT` of the title")
	flags.StringVar(&body, "body", "", "`TEXT` below it")
	flags.StringVar(&sound, "sound", "", "`NAME` of the sound on iOS: default, or a file in the app; without it there is none")
	flags.StringVar(&data, "data", "", "`JSON` object for the app; the recipient's id is added as \""+sender.RecipientKey+"\"")
	flags.StringVar(&c.outbox, "outbox", "notify.outbox", "`FILE` that keeps what was done; one for each job")
	flags.StringVar(&c.expoURL, "expo", expo.DefaultURL, "`URL` of Expo's push API")
	flags.Float64Var(&c.sender.PerSecond, "rate", sender.DefaultPerSecond, "notifications a second for each Expo project, of which Expo takes 600")
	flags.IntVar(&c.sender.Workers, "concurrency", 6, "requests to Expo at once")
	flags.DurationVar(&c.sender.TokenAge, "token-age", 5*time.Second, "greatest age of a token when it is sent; 0 reads each once more")
	flags.DurationVar(&c.sender.ReceiptDelay, "receipt-delay", expo.ReceiptDelay, "time from a message to its receipt")
	flags.Float64Var(&maxGone, "max-gone", 100*sender.DefaultMaxGone,
		"`percent` of 50 or more answers that may call a device gone; if more do, none is invalidated until\nyou run it again with 100")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if flags.NArg() > 0 {
		return c, errors.New("flags only")
	}
	if c.sender.MaxGone = maxGone / 100; !(maxGone > 0 && maxGone <= 100) {
		return c, errors.New("-max-gone must be above 0, at most 100")
	}
	if err := c.readMessage(message); err != nil {
		return c, fmt.Errorf("-message: %w", err)
	}
	for _, given := range []struct {
		flag, value string
		field       *string
	}{{"-title", title, &c.content.Title}, {"-body", body, &c.content.Body}, {"-sound", sound, &c.content.Sound}} {
		if given.value != "" && *given.field != "" {
			return c, fmt.Errorf("%s is in the file of -message too: give it once", given.flag)
		}
		*given.field += given.value
	}
	if data != "" {
		if c.data != nil {
			return c, errors.New("-data is in the file of -message too: give it once")
		}
		var err error
		if c.data, err = expo.ParseData([]byte(data)); err != nil {
			return c, fmt.Errorf("-data is %w", err)
		}
	}
	return c, c.check()
}

// mostMessage is more than a message of Expo's size is as JSON, in bytes.
const mostMessage = 64 << 10

func (c *settings) readMessage(path string) error {
	if path == "" {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, mostMessage))
	if err == nil {
		c.content, c.data, err = expo.ParseMessage(text)
	}
	return err
}

func (c *settings) check() error {
	if c.demo {
		if c.db != "" || c.user != "" || c.users != "" {
			return errors.New("-demo has a store and users of its own")
		}
		if c.content.Title == "" {
			c.content.Title, c.content.Body = "Hello", "This is a demonstration"
		}
	} else {
		switch {
		case c.db == "" && c.registry == nil:
			return errors.New("-db or -demo is needed")
		case (c.user == "") == (c.users == ""):
			return errors.New("either -user or -users is needed")
		case c.content.Title == "" && c.content.Body == "":
			return errors.New("-title or -body is needed")
		}
		if err := sender.CheckUser(tokens.UserID(c.user)); c.user != "" && err != nil {
			return fmt.Errorf("-user: %w", err)
		}
	}
	if _, has := c.data[sender.RecipientKey]; has {
		return fmt.Errorf("data has %q, which is the recipient's id: name it otherwise", sender.RecipientKey)
	}
	if err := expo.CheckURL(c.expoURL); err != nil {
		return fmt.Errorf("-expo: %w", err)
	}
	if strings.ContainsFunc(c.accessToken, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("EXPO_ACCESS_TOKEN has a space, a line's end or another character that no access token has")
	}
	if !(c.sender.PerSecond > 0) || c.sender.Workers <= 0 || c.sender.ReceiptDelay <= 0 || c.sender.TokenAge < 0 {
		return errors.New("-rate, -concurrency and -receipt-delay must be above 0, -token-age at least 0")
	}
	if c.sender.ReceiptDelay >= expo.ReceiptLifetime {
		return fmt.Errorf("-receipt-delay must be below %v: Expo keeps receipts no longer", expo.ReceiptLifetime)
	}
	if err := c.content.Check(); err != nil {
		return err
	}
	return c.fits(tokens.UserID(c.user))
}

var errTooLong = errors.New("the message is too long")

// fits reports whether the message is short enough for a user.
func (c *settings) fits(user tokens.UserID) error {
	longest := map[string]any{sender.RecipientKey: user}
	maps.Copy(longest, c.data)
	n, err := expo.Message{Content: c.content, Data: longest}.PayloadBytes()
	if err == nil && n > expo.MaxPayloadBytes {
		err = fmt.Errorf("%w: it has %d bytes with the longest user id, and Expo takes %d", errTooLong, n, expo.MaxPayloadBytes)
	}
	return err
}
