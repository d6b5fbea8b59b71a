# nexafi-gen:waive NXF-NET-001 owner=jane.doe@nexafi.example ticket=RISK-1204
#   expires=2027-03-31 reason="The flow logs of this VPC
#   move to the audit account in March."
resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

# nexafi-gen:waive NXF-NET-001 owner=jane.doe@nexafi.example ticket=RISK-1205 expires=2026-06-30 reason="A trial."
resource "aws_vpc" "trial" {
  cidr_block = "10.1.0.0/16"
}
