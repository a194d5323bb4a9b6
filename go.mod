module github.com/devicetokens/devicetokens

go 1.25.0
