# LocalStack and the like. The credentials come from the environment and may be
# anything: AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test.
stage       = "dev"
region      = "eu-central-1"
owner       = "mobile-platform"
cost_center = "cc-1234"

emulator_endpoint = "http://localhost:4566"

# An emulator is an account of one's own, so the region's setting is free.
manage_api_gateway_account = true

authorizer = {
  type     = "oidc"
  issuer   = "https://issuer.example.com"
  audience = "device-tokens"
}
