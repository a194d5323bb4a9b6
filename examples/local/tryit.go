package main

import "strings"

// tryIt returns lines to paste into a shell: a phone changes hands.
func tryIt(baseURL, db, consolePath string) string {
	return strings.NewReplacer("BASE", baseURL, "STORE", db, "CONSOLE", baseURL+consolePath).Replace(`Device tokens at BASE/v1/device-tokens, kept in STORE.

    THE BEARER TOKEN IS THE USER ID HERE. FOR TRYING OUT ONLY.

Open BASE/ in a browser: two phones show what this prevents.
The console of this run, for this machine only, is at CONSOLE
Or paste these, in another terminal:

# Alice starts the app on her phone, and is reached there.
curl -i -H 'Authorization: Bearer alice' -H 'Content-Type: application/json' -d '{"deviceId":"phone-1","expoPushToken":"ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]","platform":"ios"}' BASE/v1/device-tokens
curl -i -H 'Authorization: Bearer alice' BASE/v1/device-tokens

# Bob logs in on the same phone. Alice is no longer reached there.
curl -i -H 'Authorization: Bearer bob' -H 'Content-Type: application/json' -d '{"deviceId":"phone-1","expoPushToken":"ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]","platform":"ios"}' BASE/v1/device-tokens
curl -i -H 'Authorization: Bearer alice' BASE/v1/device-tokens

# Bob logs out.
curl -i -X DELETE -H 'Authorization: Bearer bob' 'BASE/v1/device-tokens?deviceId=phone-1'

Ctrl-C stops the server.
`)
}
