package tokens_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/devicetokens/devicetokens/tokens"
)

// Check what an app sent at its launch.
func Example() {
	token, err := tokens.ParseToken("ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]")
	if err != nil {
		fmt.Println(err)
		return
	}
	req := tokens.Request{
		Key:      tokens.Key{UserID: "8d4b2f", DeviceID: "pixel-9"},
		Token:    token,
		Platform: tokens.Android,
	}
	fmt.Println(req.Validate())
	fmt.Println(req)
	// Output:
	// <nil>
	// {{8d4b2f pixel-9} Token(ec4a4fcd) android }
}

// Every bad field is named at once, each with a code that programs can switch on.
func ExampleRequest_Validate() {
	req := tokens.Request{Key: tokens.Key{UserID: "#1"}, Platform: "symbian"}

	var invalid *tokens.InvalidError
	if err := req.Validate(); errors.As(err, &invalid) {
		for _, f := range invalid.Fields {
			fmt.Println(f.Field, f.Code)
		}
	}
	// Output:
	// userId reserved
	// deviceId required
	// expoPushToken required
	// platform unknown
}

// The error names the field and the rule, and does not contain the input.
func ExampleParseToken() {
	_, err := tokens.ParseToken("ExponentPushToken[has a space]")
	fmt.Println(err)
	// Output:
	// tokens: invalid expoPushToken (malformed)
}

// Two spellings are one token. A map of tokens has their hashes for keys.
func ExampleToken_Equal() {
	a := tokens.MustParseToken("ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]")
	b := tokens.MustParseToken("ExpoPushToken[xxxxxxxxxxxxxxxxxxxxxx]")
	fmt.Println(a.Equal(b))

	seen := map[[32]byte]bool{a.Hash(): true}
	fmt.Println(seen[b.Hash()])
	// Output:
	// true
	// true
}

// Printing, encoding or logging a token shows the first digits of its hash.
func ExampleToken_String() {
	token := tokens.MustParseToken("ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]")

	fmt.Printf("%v %+v %#v %s %q %x\n", token, token, token, token, token, token)

	data, err := json.Marshal(map[string]tokens.Token{"token": token})
	fmt.Println(string(data), err)
	fmt.Println(slog.Any("token", token))
	// Output:
	// Token(ec4a4fcd) Token(ec4a4fcd) Token(ec4a4fcd) Token(ec4a4fcd) Token(ec4a4fcd) Token(ec4a4fcd)
	// {"token":"Token(ec4a4fcd)"} <nil>
	// token=Token(ec4a4fcd)
}
