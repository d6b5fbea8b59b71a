resource "aws_vpc" "new" {
  cidr_block = "10.1.0.0/16"
}
