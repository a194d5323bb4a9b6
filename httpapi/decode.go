package httpapi

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/devicetokens/devicetokens/tokens"
)

// decodeRequest reads the registration of user from a POST, in three layers: the
// HTTP request, its content as a reader, and the bytes of it.
//
// What is wrong is said in this order: the content's type, its coding, its size,
// that it is not JSON, the first member that is not as declared, and then
// everything that breaks a rule at once.
func decodeRequest(w http.ResponseWriter, r *http.Request, maxBytes int64, user tokens.UserID) (tokens.Request, error) {
	switch {
	case !isJSON(r.Header["Content-Type"]):
		return tokens.Request{}, unsupportedMediaType
	case !isIdentity(r.Header["Content-Encoding"]):
		return tokens.Request{}, unsupportedContentCoding
	case r.ContentLength > maxBytes:
		return tokens.Request{}, contentTooLarge // a client that expects 100 keeps the body
	}
	data, err := readBody(http.MaxBytesReader(w, r.Body, maxBytes))
	if err != nil {
		return tokens.Request{}, err
	}
	return parseRequest(data, user)
}

// isJSON reports whether the content type is application/json. Its one
// parameter that could change what the bytes mean is a charset.
func isJSON(contentType []string) bool {
	if len(contentType) != 1 {
		return false
	}
	if contentType[0] == "application/json" { // what nearly all clients send
		return true
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

// readBody reads a body that http.MaxBytesReader limits.
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

// parseRequest reads the registration of user from a JSON document.
func parseRequest(data []byte, user tokens.UserID) (tokens.Request, error) {
	members := [...]member{
		{name: tokens.FieldDeviceID},
		{name: tokens.FieldToken},
		{name: tokens.FieldPlatform},
		{name: tokens.FieldProjectID},
	}
	if err := parseObject(data, members[:]); err != nil {
		return tokens.Request{}, err
	}
	token, tokenErr := tokens.ParseToken(members[1].value)
	req := tokens.Request{
		Key:       tokens.Key{UserID: user, DeviceID: tokens.DeviceID(members[0].value)},
		Token:     token,
		Platform:  tokens.Platform(members[2].value),
		ProjectID: tokens.ProjectID(members[3].value),
	}
	// The key first, so that the fields come in the order of their declaration.
	if err := tokens.JoinInvalid(req.Key.Validate(), tokenErr, req.Validate()); err != nil {
		return tokens.Request{}, err
	}
	return req, nil
}
