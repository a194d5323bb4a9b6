package expo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"slices"
	"strings"
)

// MaxTTL is the longest that Google keeps a message, in seconds:
// https://firebase.google.com/docs/cloud-messaging/customize-messages/setting-message-lifespan.
const MaxTTL = 28 * 24 * 60 * 60

// Content is what the phone shows, and how it arrives. What is empty is left to
// Expo's defaults, which play no sound on iOS.
type Content struct {
	Title             string       `json:"title,omitempty"`
	Subtitle          string       `json:"subtitle,omitempty"` // iOS
	Body              string       `json:"body,omitempty"`
	Sound             string       `json:"sound,omitempty"` // iOS: "default", or the name of a file in the app
	Priority          string       `json:"priority,omitempty"`
	TTL               *int         `json:"ttl,omitempty"`               // seconds
	Badge             *int         `json:"badge,omitempty"`             // iOS; 0 clears it
	InterruptionLevel string       `json:"interruptionLevel,omitempty"` // iOS
	ChannelID         string       `json:"channelId,omitempty"`         // Android
	CategoryID        string       `json:"categoryId,omitempty"`
	MutableContent    *bool        `json:"mutableContent,omitempty"` // iOS
	RichContent       *RichContent `json:"richContent,omitempty"`
}

// RichContent is the image of a notification.
type RichContent struct {
	Image string `json:"image"` // a URL
}

// Fields are the names of a message's fields that [ParseMessage] takes.
const Fields = "title, subtitle, body, data, sound, priority, ttl,\nbadge, interruptionLevel, channelId, categoryId, mutableContent, richContent"

// ParseMessage reads a message without its recipient: a JSON object with Expo's
// fields, and nothing else.
func ParseMessage(text []byte) (Content, map[string]any, error) {
	var c Content
	var message map[string]json.RawMessage
	if err := strict(bytes.TrimPrefix(text, []byte("\ufeff")), &message); err != nil || message == nil {
		return c, nil, errors.New("not one JSON object")
	}
	var data map[string]any
	for name, value := range message {
		into, known := c.field(name)
		switch {
		case name == "data":
			into = &data
		case name == "to":
			return c, nil, errors.New("to: the recipients are a list of their own")
		case !known:
			return c, nil, fmt.Errorf("unknown field %q: use %s", name, strings.ReplaceAll(Fields, "\n", " "))
		case name == "sound" && string(value) == "null": // no sound, as Expo documents it
			continue
		}
		if string(value) == "null" || strict(value, into) != nil {
			return c, nil, fmt.Errorf("%s: must be %s", name, kind(into))
		}
		if into, isText := into.(*string); isText && *into == "" {
			return c, nil, fmt.Errorf("%s: must not be empty: leave it out", name)
		}
	}
	return c, data, c.Check()
}

// ParseData reads what the app is given.
func ParseData(text []byte) (data map[string]any, err error) {
	if strict(text, &data) != nil || data == nil {
		return nil, errors.New("not a JSON object")
	}
	return data, nil
}

// field returns where the field of that name is decoded to. Names are compared
// as Expo compares them, by case.
func (c *Content) field(name string) (into any, known bool) {
	into, known = map[string]any{
		"title": &c.Title, "subtitle": &c.Subtitle, "body": &c.Body, "sound": &c.Sound, "priority": &c.Priority,
		"ttl": &c.TTL, "badge": &c.Badge, "interruptionLevel": &c.InterruptionLevel, "channelId": &c.ChannelID,
		"categoryId": &c.CategoryID, "mutableContent": &c.MutableContent, "richContent": &c.RichContent,
		"data": nil,
	}[name]
	return into, known
}

func kind(into any) string {
	switch into.(type) {
	case **int:
		return "a whole number"
	case **bool:
		return "true or false"
	case *string:
		return "a string"
	case **RichContent:
		return `an object with "image" alone, a string`
	}
	return "an object"
}

// Check reports the first field that is beyond what Expo documents.
func (c *Content) Check() error {
	isOneOf := func(value string, allowed ...string) bool { return value == "" || slices.Contains(allowed, value) }
	switch {
	case c.Sound != "" && c.Sound != "default" && !strings.Contains(c.Sound, "."):
		return errors.New(`sound: use "default", or the name of a file in the app with its extension`)
	case !isOneOf(c.Priority, "default", "normal", "high"):
		return errors.New("priority: use default, normal or high")
	case c.TTL != nil && (*c.TTL < 0 || *c.TTL > MaxTTL):
		return fmt.Errorf("ttl: use 0 to %d seconds: Google keeps a message no longer", MaxTTL)
	case c.Badge != nil && (*c.Badge < 0 || *c.Badge > math.MaxInt32):
		return errors.New("badge: use 0, which clears it, or a number above")
	case !isOneOf(c.InterruptionLevel, "active", "critical", "passive", "time-sensitive"):
		return errors.New("interruptionLevel: use active, critical, passive or time-sensitive")
	case strings.ContainsAny(c.CategoryID, ":-"):
		return errors.New(`categoryId: must have no ":" and no "-", with which categories do not work`)
	case c.RichContent != nil && !isWebURL(c.RichContent.Image):
		return errors.New("richContent.image: use a URL of HTTP")
	}
	return nil
}

func isWebURL(s string) bool {
	at, err := url.Parse(s)
	return err == nil && at.Host != "" && (at.Scheme == "https" || at.Scheme == "http")
}

// strict decodes one JSON value, without fields that it does not know. Numbers
// keep their digits: an app's data may have ids.
func strict(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}
