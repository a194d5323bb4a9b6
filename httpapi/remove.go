package httpapi

import (
	"net/http"
	"net/url"
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

// remove is DELETE: a logout deactivates, permanent=true erases. Either is
// answered alike whether or not something was there.
func (h *handler) remove(c *call) (answer, error) {
	key, permanent, err := parseRemoval(c.r.URL.RawQuery, c.user)
	if err != nil {
		return answer{}, err
	}
	do, outcome := h.store.Deactivate, Deactivated
	if permanent {
		do, outcome = h.store.Delete, Erased
	}
	began := time.Now()
	err = do(c.r.Context(), key)
	c.event.StoreDuration = time.Since(began)
	if err != nil {
		return answer{}, err
	}
	c.event.Outcome = outcome
	return answer{status: http.StatusNoContent}, nil
}

const fieldPermanent = "permanent"

// repeated is the code of a query parameter that is there more than once.
const repeated tokens.Code = "repeated"

// parseRemoval reads the query of a DELETE and says everything that is wrong with
// it. Parameters that it does not know change nothing.
func parseRemoval(rawQuery string, user tokens.UserID) (key tokens.Key, permanent bool, err error) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return tokens.Key{}, false, invalidQuery // err quotes the query
	}
	device, deviceErr := single(query, tokens.FieldDeviceID)
	key = tokens.Key{UserID: user, DeviceID: tokens.DeviceID(device)}

	value, permanentErr := single(query, fieldPermanent)
	permanent = value == "true"
	if query.Has(fieldPermanent) && !permanent && value != "false" {
		permanentErr = tokens.JoinInvalid(permanentErr, invalidField(fieldPermanent, tokens.Unknown))
	}
	if err := tokens.JoinInvalid(deviceErr, key.Validate(), permanentErr); err != nil {
		return tokens.Key{}, false, err
	}
	return key, permanent, nil
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
