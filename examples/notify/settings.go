package main

import (
	"crypto/sha256"
	"encoding/json"
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

// settings are read from the command line and the environment.
type settings struct {
	user, users string // exactly one is set
	db          string
	outbox      string
	expoURL     string
	accessToken string
	content     expo.Content
	data        map[string]any
	sender      sender.Options
}

const usage = `notify sends a push notification to the devices of one user or of millions.

    notify -db STORE -users FILE -title TEXT [-body TEXT]
    notify -db STORE -user ID -title TEXT [-body TEXT]

`

const afterFlags = `
The AWS region and credentials come from the environment and the AWS configuration files, as for the AWS CLI. For DynamoDB
Local, set AWS_ENDPOINT_URL_DYNAMODB. Set EXPO_ACCESS_TOKEN if the Expo project has "enhanced security for push notifications".

Exit code: 0 the job is done; 1 messages failed, or are left (run the same command again to continue); 2 the command line, the
list of users or the outbox cannot be used.
`

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
	flags.StringVar(&c.users, "users", "", "`FILE` with one user id per line, each only once; do not change it before the job is done")
	flags.StringVar(&c.user, "user", "", "`ID` of one user")
	flags.StringVar(&c.db, "db", "", "`STORE` with the registrations: "+database.Names)
	flags.StringVar(&message, "message", "", "`FILE` with the message as a JSON object; its fields are\n"+expo.Fields)
	flags.StringVar(&title, "title", "", "`TEXT` of the title")
	flags.StringVar(&body, "body", "", "`TEXT` below the title")
	flags.StringVar(&sound, "sound", "", "`NAME` of the sound on iOS: default, or a file in the app; unset is silent")
	flags.StringVar(&data, "data", "", "`JSON` object for the app; notify adds the recipient's user id as \""+sender.RecipientKey+"\"")
	flags.StringVar(&c.outbox, "outbox", "notify.outbox", "`FILE` that records the progress of the job; each job needs its own")
	flags.StringVar(&c.expoURL, "expo", expo.DefaultURL, "`URL` of Expo's push API")
	flags.Float64Var(&c.sender.PerSecond, "rate", sender.DefaultPerSecond, "notifications per second for each Expo project; Expo accepts 600")
	flags.IntVar(&c.sender.Workers, "concurrency", 6, "concurrent requests to Expo")
	flags.DurationVar(&c.sender.TokenAge, "token-age", 5*time.Second, "maximum age of a token when it is sent; 0 reads each token again")
	flags.DurationVar(&c.sender.ReceiptDelay, "receipt-delay", expo.ReceiptDelay, "time from sending a message to fetching its receipt")
	flags.Float64Var(&maxGone, "max-gone", 100*sender.DefaultMaxGone,
		"maximum `percent` of devices that Expo may report as gone, if there are 50 or more answers; above it, no device\nis invalidated until you run the command again with 100")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if flags.NArg() > 0 {
		return c, errors.New("notify takes flags only")
	}
	if c.sender.MaxGone = maxGone / 100; !(maxGone > 0 && maxGone <= 100) {
		return c, errors.New("-max-gone must be above 0 and at most 100")
	}
	if err := c.readMessage(message); err != nil {
		return c, fmt.Errorf("-message: %w", err)
	}
	for _, given := range []struct {
		flag, value string
		field       *string
	}{{"-title", title, &c.content.Title}, {"-body", body, &c.content.Body}, {"-sound", sound, &c.content.Sound}} {
		if given.value != "" && *given.field != "" {
			return c, fmt.Errorf("%s is also in the -message file: set it once", given.flag)
		}
		*given.field += given.value
	}
	if data != "" {
		if c.data != nil {
			return c, errors.New("-data is also in the -message file: set it once")
		}
		var err error
		if c.data, err = expo.ParseData([]byte(data)); err != nil {
			return c, fmt.Errorf("-data is %w", err)
		}
	}
	return c, c.check()
}

// mostMessage limits the -message file, in bytes. No valid message is as long.
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
	switch {
	case c.db == "":
		return errors.New("set -db")
	case (c.user == "") == (c.users == ""):
		return errors.New("set either -user or -users")
	case c.content.Title == "" && c.content.Body == "":
		return errors.New("set -title or -body")
	}
	if err := sender.CheckUser(tokens.UserID(c.user)); c.user != "" && err != nil {
		return fmt.Errorf("-user: %w", err)
	}
	if _, has := c.data[sender.RecipientKey]; has {
		return fmt.Errorf("data has the key %q, which notify sets to the recipient's id: rename it", sender.RecipientKey)
	}
	if err := expo.CheckURL(c.expoURL); err != nil {
		return fmt.Errorf("-expo: %w", err)
	}
	if strings.ContainsFunc(c.accessToken, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("EXPO_ACCESS_TOKEN has a space, a line break or another character that no access token contains")
	}
	if !(c.sender.PerSecond > 0) || c.sender.Workers <= 0 || c.sender.ReceiptDelay <= 0 || c.sender.TokenAge < 0 {
		return errors.New("-rate, -concurrency and -receipt-delay must be above 0, and -token-age at least 0")
	}
	if c.sender.ReceiptDelay >= expo.ReceiptLifetime {
		return fmt.Errorf("-receipt-delay must be below %v, because Expo deletes receipts then", expo.ReceiptLifetime)
	}
	if err := c.content.Check(); err != nil {
		return err
	}
	return c.fits(tokens.UserID(c.user))
}

var errTooLong = errors.New("the message is too long")

// fits returns an error if the message to this user is longer than Expo accepts.
func (c *settings) fits(user tokens.UserID) error {
	longest := map[string]any{sender.RecipientKey: user}
	maps.Copy(longest, c.data)
	n, err := expo.Message{Content: c.content, Data: longest}.PayloadBytes()
	if err == nil && n > expo.MaxPayloadBytes {
		err = fmt.Errorf("%w: it has %d bytes with the longest user id, and Expo accepts %d", errTooLong, n, expo.MaxPayloadBytes)
	}
	return err
}

var errNoFile = errors.New("-users must be a regular file, not a pipe or a folder, because the next run reads it again")

type recipients struct {
	io.ReaderAt
	io.Closer
	size int64
	hash []byte
	list sender.List
}

// openUsers opens the list and checks all of it before anything is sent.
func (c *settings) openUsers() (*recipients, error) {
	if c.user != "" {
		hash := sha256.Sum256([]byte(c.user))
		list := sender.List{Users: 1, Longest: tokens.UserID(c.user)}
		return &recipients{strings.NewReader(c.user), io.NopCloser(nil), int64(len(c.user)), hash[:], list}, nil
	}
	file, err := os.Open(c.users)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errNoFile
	}
	hash, users := sha256.New(), &recipients{ReaderAt: file, Closer: file}
	if err == nil {
		users.size, err = io.Copy(hash, file)
	}
	if err == nil {
		users.list, err = sender.CheckUsers(file)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	users.hash = hash.Sum(nil)
	return users, nil
}

// jobID identifies the job: it is a hash of everything that decides who gets what.
func (c *settings) jobID(users *recipients) []byte {
	text, _ := json.Marshal([]any{c.db, c.content, c.data, users.hash}) // strings and parsed JSON
	id := sha256.Sum256(text)
	return id[:]
}
