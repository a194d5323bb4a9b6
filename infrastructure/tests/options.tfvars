# Every variable that may be left out and that no stage sets, for the comparison
# with SST: synth/cases.mjs has the same.
stage       = "dev"
region      = "eu-central-1"
owner       = "mobile-platform"
cost_center = "cc-1234"
extra_tags  = { Team = "push" }

authorizer = {
  type           = "cognito"
  user_pool_arns = ["arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_devEXAMPLE"]
  scopes         = ["device-tokens/write", "device-tokens/read"]
}

base_path = "/push"

custom_domain = {
  name            = "push.example.com"
  certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d-1111-2222-3333-444455556666"
}
web_acl_arn = "arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/push/0a1b2c3d-1111-2222-3333-444455556666"

token_ttl_days       = 30
max_devices          = 5
log_level            = "debug"
reserved_concurrency = 10

table_name       = "device-tokens-dev-restored"
stream_view_type = "KEYS_ONLY"
read_limit       = 10
moved_limit      = 5
alarm_topic_arn  = "arn:aws:sns:eu-central-1:111122223333:alarms"
