package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/devicetokens/devicetokens/internal/jsontext"
	"github.com/devicetokens/devicetokens/tokens"
)

// decodeRequest reads a registration without its user from a POST, in three layers:
// the HTTP request, its body as a reader, and the bytes of the body.
//
// It checks in this order: the content type, the content coding, the size, the JSON
// syntax, the members, and then the rules for all values at once.
func decodeRequest(w http.ResponseWriter, r *http.Request, maxBytes int64) (tokens.Request, error) {
	switch {
	case !isJSON(r.Header["Content-Type"]):
		return tokens.Request{}, unsupportedMediaType
	case !isIdentity(r.Header["Content-Encoding"]):
		return tokens.Request{}, unsupportedContentCoding
	case r.ContentLength > maxBytes:
		return tokens.Request{}, contentTooLarge // a client that waits for 100 Continue does not send the body
	}
	data, err := readBody(http.MaxBytesReader(w, r.Body, maxBytes))
	if err != nil {
		return tokens.Request{}, err
	}
	return parseRequest(data)
}

// isJSON reports whether the content type is application/json. It checks the
// charset, the only parameter that could change the meaning of the bytes.
func isJSON(contentType []string) bool {
	if len(contentType) != 1 {
		return false
	}
	mediaType, params, err := mime.ParseMediaType(contentType[0])
	charset, given := params["charset"]
	return err == nil && mediaType == "application/json" && (!given || strings.EqualFold(charset, "utf-8"))
}

func isIdentity(contentEncoding []string) bool {
	for _, coding := range contentEncoding {
		if !strings.EqualFold(coding, "identity") {
			return false
		}
	}
	return true
}

// readBody reads a body from an http.MaxBytesReader.
func readBody(body io.Reader) ([]byte, error) {
	data, err := io.ReadAll(body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, contentTooLarge
	case err != nil:
		return nil, incompleteBody // err may quote a chunk's header
	}
	return data, nil
}

// parseRequest reads a registration without its user from a JSON document.
func parseRequest(data []byte) (tokens.Request, error) {
	members, err := parseObject(data, tokens.FieldDeviceID, tokens.FieldToken, tokens.FieldPlatform, tokens.FieldProjectID)
	if err != nil {
		return tokens.Request{}, err
	}
	token, tokenErr := tokens.ParseToken(members[tokens.FieldToken])
	req := tokens.Request{
		Key:       tokens.Key{DeviceID: tokens.DeviceID(members[tokens.FieldDeviceID])},
		Token:     token,
		Platform:  tokens.Platform(members[tokens.FieldPlatform]),
		ProjectID: tokens.ProjectID(members[tokens.FieldProjectID]),
	}
	err = tokens.JoinInvalid(req.Key.DeviceID.Validate(), tokenErr, req.Platform.Validate(), req.ProjectID.Validate())
	if err != nil {
		return tokens.Request{}, err
	}
	return req, nil
}

// parseObject reads a JSON object (RFC 8259) whose members are strings, each with
// one of the names and each at most once. encoding/json is less strict: it accepts
// DEVICEID for deviceId, uses the last of two members with one name, accepts null
// for a string, and replaces invalid characters with U+FFFD.
//
// The error is a *problem. If data is not valid JSON, it reports that; otherwise the
// first member that is not as declared.
func parseObject(data []byte, names ...string) (map[string]string, error) {
	if !utf8.Valid(data) {
		return nil, invalidUTF8
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber() // a number that does not fit a float64 is valid JSON
	members, p := readObject(data, d, names)
	switch {
	case p != nil && json.Valid(data):
		return nil, p
	case p != nil:
		return nil, invalidJSON
	case len(bytes.TrimLeft(data[d.InputOffset():], " \t\r\n")) > 0:
		return nil, trailingData
	}
	return members, nil
}

// readObject reads the object at the start of data, which d decodes. When it returns
// a problem, the rest of data has not been checked and may not be JSON.
func readObject(data []byte, d *json.Decoder, names []string) (map[string]string, *problem) {
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, notAnObject
	}
	members := map[string]string{}
	for d.More() {
		name, p := readText(data, d)
		if p != nil {
			return nil, p
		}
		if !slices.Contains(names, name) {
			return nil, unknownMember
		}
		if _, seen := members[name]; seen {
			return nil, duplicateMember.at(name)
		}
		if members[name], p = readText(data, d); p != nil {
			return nil, p.at(name)
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, invalidJSON
	}
	return members, nil
}

// readText reads the next string in data.
func readText(data []byte, d *json.Decoder) (string, *problem) {
	begin := d.InputOffset()
	token, err := d.Token()
	if err != nil {
		return "", invalidJSON
	}
	switch token := token.(type) {
	case string:
		if jsontext.HasLoneSurrogate(data[begin:d.InputOffset()]) {
			return "", loneSurrogate
		}
		return token, nil
	case json.Delim:
		return "", nestedValue
	}
	return "", wrongType
}

const fieldPermanent = "permanent"

// repeated is the code of a query parameter that occurs more than once.
const repeated tokens.Code = "repeated"

// parseRemoval reads the query of a DELETE. Its error has every invalid parameter.
// Unknown parameters have no effect.
func parseRemoval(rawQuery string) (device tokens.DeviceID, permanent bool, err error) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return "", false, invalidQuery // err quotes the query
	}
	id, repeatedErr := single(query, tokens.FieldDeviceID)
	device = tokens.DeviceID(id)

	value, permanentErr := single(query, fieldPermanent)
	permanent = value == "true"
	if query.Has(fieldPermanent) && !permanent && value != "false" {
		permanentErr = tokens.JoinInvalid(permanentErr, invalidField(fieldPermanent, tokens.CodeUnknown))
	}
	if err := tokens.JoinInvalid(repeatedErr, device.Validate(), permanentErr); err != nil {
		return "", false, err
	}
	return device, permanent, nil
}

// single returns the value of a parameter that must not be repeated.
func single(query url.Values, name string) (string, error) {
	if len(query[name]) > 1 {
		return "", invalidField(name, repeated)
	}
	return query.Get(name), nil
}

func invalidField(field string, code tokens.Code) error {
	return &tokens.InvalidError{Fields: []tokens.FieldError{{Field: field, Code: code}}}
}
