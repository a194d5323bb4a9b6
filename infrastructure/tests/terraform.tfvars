# The variables of every test, unless a run sets others.
stage       = "dev"
region      = "eu-central-1"
owner       = "mobile"
cost_center = "cc-1"

authorizer = {
  type           = "cognito"
  user_pool_arns = ["arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_EXAMPLE"]
}
