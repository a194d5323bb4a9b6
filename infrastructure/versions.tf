# The tests run on provider 5.46.0. Nothing here is newer than that, and nothing
# is gone in 6.x, by its published upgrade guide.
terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.46, < 7.0"
    }
  }
}
