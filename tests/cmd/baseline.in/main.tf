resource "aws_vpc" "old" {
  cidr_block = "10.0.0.0/16"
}
