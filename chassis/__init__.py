"""The microservice chassis: what every service of the product stands on, without a word of the business."""
