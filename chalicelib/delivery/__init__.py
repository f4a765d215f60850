"""Where events are told: webhooks, and on AWS a topic of SNS and a bus of EventBridge."""
