package memstore_test

import (
	"context"
	"fmt"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

func benchRequest(prefix string, user, device, token int) tokens.Request {
	return tokens.Request{
		Key: tokens.Key{
			UserID:   tokens.UserID(fmt.Sprintf("%s-%030d", prefix, user)),
			DeviceID: tokens.DeviceID(fmt.Sprintf("device-%029d", device)),
		},
		Token:     tokens.MustParseToken(fmt.Sprintf("ExponentPushToken[%022d]", token)),
		Platform:  tokens.IOS,
		ProjectID: "@acme/app",
	}
}

func register(s store.Store, req tokens.Request) error {
	_, err := s.Register(context.Background(), req)
	return err
}
