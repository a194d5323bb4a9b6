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

// MaxTTL is how long Google stores a message at most, in seconds:
// https://firebase.google.com/docs/cloud-messaging/customize-messages/setting-message-lifespan.
const MaxTTL = 28 * 24 * 60 * 60

// Content is the content of a notification and its delivery options. Expo's defaults
// apply to empty fields; by default iOS plays no sound.
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

// Fields are the names of the fields that [ParseMessage] accepts.
const Fields = "title, subtitle, body, data, sound, priority, ttl, badge, interruptionLevel, channelId, categoryId,\nmutableContent, richContent"

// ParseMessage parses a message without its recipient: one JSON object with fields of
// Expo's message format. Unknown fields are an error.
func ParseMessage(text []byte) (Content, map[string]any, error) {
	var c Content
	var message map[string]json.RawMessage
	if err := strict(bytes.TrimPrefix(text, []byte("\ufeff")), &message); err != nil || message == nil {
		return c, nil, errors.New("not a single JSON object")
	}
	var data map[string]any
	fields := map[string]any{ // names are case-sensitive, as they are for Expo
		"title": &c.Title, "subtitle": &c.Subtitle, "body": &c.Body, "sound": &c.Sound, "priority": &c.Priority,
		"ttl": &c.TTL, "badge": &c.Badge, "interruptionLevel": &c.InterruptionLevel, "channelId": &c.ChannelID,
		"categoryId": &c.CategoryID, "mutableContent": &c.MutableContent, "richContent": &c.RichContent, "data": &data,
	}
	for name, value := range message {
		into, known := fields[name]
		switch {
		case name == "to":
			return c, nil, errors.New("to: remove it, because the recipients come from the list of users")
		case !known:
			return c, nil, fmt.Errorf("unknown field %q: use %s", name, strings.ReplaceAll(Fields, "\n", " "))
		case name == "sound" && string(value) == "null": // documented by Expo: no sound
			continue
		}
		if string(value) == "null" || strict(value, into) != nil {
			return c, nil, fmt.Errorf("%s: must be %s", name, kind(into))
		}
		if into, isText := into.(*string); isText && *into == "" {
			return c, nil, fmt.Errorf("%s: is empty: set it or remove it", name)
		}
	}
	return c, data, c.Check()
}

// ParseData parses the data for the app, a JSON object.
func ParseData(text []byte) (data map[string]any, err error) {
	if strict(text, &data) != nil || data == nil {
		return nil, errors.New("not a JSON object")
	}
	return data, nil
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
		return `an object with the string "image" and nothing else`
	}
	return "an object"
}

// Check returns an error that names a field with a value that Expo does not document.
func (c *Content) Check() error {
	isOneOf := func(value string, allowed ...string) bool { return value == "" || slices.Contains(allowed, value) }
	switch {
	case c.Sound != "" && c.Sound != "default" && !strings.Contains(c.Sound, "."):
		return errors.New(`sound: use "default", or the name of a sound file in the app, with its extension`)
	case !isOneOf(c.Priority, "default", "normal", "high"):
		return errors.New("priority: use default, normal or high")
	case c.TTL != nil && (*c.TTL < 0 || *c.TTL > MaxTTL):
		return fmt.Errorf("ttl: use 0 to %d seconds, because Google does not store a message for longer", MaxTTL)
	case c.Badge != nil && (*c.Badge < 0 || *c.Badge > math.MaxInt32):
		return errors.New("badge: use a number from 1 to 2147483647, or 0 to clear the badge")
	case !isOneOf(c.InterruptionLevel, "active", "critical", "passive", "time-sensitive"):
		return errors.New("interruptionLevel: use active, critical, passive or time-sensitive")
	case strings.ContainsAny(c.CategoryID, ":-"):
		return errors.New(`categoryId: remove ":" and "-", because categories with these characters do not work`)
	case c.RichContent != nil && !isWebURL(c.RichContent.Image):
		return errors.New("richContent.image: use an http or https URL")
	}
	return nil
}

func isWebURL(s string) bool {
	at, err := url.Parse(s)
	return err == nil && at.Host != "" && (at.Scheme == "https" || at.Scheme == "http")
}

// strict decodes exactly one JSON value and refuses unknown fields. Numbers keep all
// digits, because the app's data may contain ids.
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
