package provision

// SetFault makes the engine call f at the named points of a cycle.
func (e *Engine) SetFault(f func(point string) error) { e.fault = f }

// Hash is the fingerprint of a record.
var Hash = hash
