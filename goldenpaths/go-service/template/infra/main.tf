# What the service needs outside its repository. The provider is configured by
# GRAFANA_URL and GRAFANA_AUTH; nothing secret is in these files or in the state.

locals {
  dashboard = file(coalesce(var.dashboard_file, "${path.module}/../observability/dashboard.json"))
}

resource "grafana_folder" "service" {
  uid   = var.service
  title = var.service
}

resource "grafana_dashboard" "service" {
  folder      = grafana_folder.service.uid
  config_json = local.dashboard
  message     = "Applied from the repository of ${var.service}"
  # A person's edit in Grafana is not the record; the repository is.
  overwrite = true

  lifecycle {
    precondition {
      condition     = jsondecode(local.dashboard).uid == var.service
      error_message = "The dashboard's uid must be ${var.service}, or another service's dashboard would be replaced."
    }
  }
}
