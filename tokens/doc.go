// Package tokens is the model of a registry for Expo push tokens: what an app
// says when it registers, what a store keeps, and the rules for both.
//
// A [Request] comes in, a [Registration] comes out. A [Registration] belongs to
// one [Key], a (user, device) pair, and holds one [Token]:
//
//	token, err := tokens.ParseToken(body.ExpoPushToken)
//	if err != nil {
//		return err // *InvalidError; it does not contain the input
//	}
//	req := tokens.Request{
//		Key:      tokens.Key{UserID: user, DeviceID: body.DeviceID},
//		Token:    token,
//		Platform: body.Platform,
//	}
//	if err := req.Validate(); err != nil {
//		return err // *InvalidError; it names every bad field
//	}
//
// # Rules that bind
//
//   - A push token is a credential: whoever has it can push to the phone. A
//     [Token] shows itself to nobody but the caller of [Token.Reveal]; whatever
//     prints, logs or encodes it gets the first digits of its hash.
//   - A token has up to three spellings. They are one token: [Token.Equal] and
//     [Token.Hash] say so, and the == operator does not compile.
//   - User and device ids are compared byte for byte, without any Unicode
//     normalization. They are keys, and so they appear in logs of the storage
//     service: use opaque ids, not e-mail addresses.
//   - No zero value in this package is valid, except where "" is documented to
//     mean that something was not said.
//
// Everything here is a value that is safe to copy and safe for concurrent use.
// The package depends on the standard library alone.
package tokens
