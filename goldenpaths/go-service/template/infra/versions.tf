terraform {
  required_version = ">= 1.7.0" # the first with mock_provider

  required_providers {
    grafana = {
      source  = "grafana/grafana"
      version = "~> 4.0"
    }
  }
}
