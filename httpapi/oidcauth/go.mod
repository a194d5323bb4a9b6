module github.com/devicetokens/devicetokens/httpapi/oidcauth

go 1.25.0

require (
	github.com/devicetokens/devicetokens v0.0.0
	github.com/go-jose/go-jose/v4 v4.1.9
	golang.org/x/sync v0.21.0
	golang.org/x/time v0.15.0
)

replace github.com/devicetokens/devicetokens => ../..
