# The tests use provider 5.46.0. By the upgrade guide of 6.x, this configuration works
# with that version too.
terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.46, < 7.0"
    }
  }
}
