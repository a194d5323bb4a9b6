// Package tokens has the types of a registry for Expo push tokens, and their
// validation.
//
// An app sends a [Request] to register a device. A store keeps a [Registration].
// A [Registration] has one [Key], a (user, device) pair, and holds one [Token]:
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
//   - A push token is a credential: with it, any program can send to the phone. Only
//     [Token.Reveal] and [Token.Spellings] return its text. Printing, logging or
//     encoding a [Token] shows the first digits of its hash.
//   - A token has up to three spellings, which count as one token. Compare tokens
//     with [Token.Equal] or [Token.Hash]; the == operator does not compile.
//   - User and device ids are compared byte for byte, without Unicode
//     normalization. They are database keys and may appear in the database's
//     logs: use opaque ids, not e-mail addresses.
//   - Zero values are invalid, except an empty [ProjectID], which means that the
//     app sent none, and zero times in a [Registration].
//
// All values are safe to copy and for concurrent use. The package imports only
// the standard library.
package tokens
