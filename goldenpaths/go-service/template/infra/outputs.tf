output "folder" {
  description = "Uid of the service's folder in Grafana."
  value       = grafana_folder.service.uid
}

output "dashboard" {
  description = "Uid of the service's dashboard in Grafana."
  value       = jsondecode(local.dashboard).uid
}
