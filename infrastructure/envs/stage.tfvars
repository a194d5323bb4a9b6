# The account, the user pool and the addresses are placeholders that plan as they
# stand: put yours in their place.
stage       = "stage"
region      = "eu-central-1"
owner       = "mobile-platform"
cost_center = "cc-1234"

authorizer = {
  type           = "cognito"
  user_pool_arns = ["arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_stageEXAMPLE"]
}

alarm_email = "mobile-platform-stage@example.com"
