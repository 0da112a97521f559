package scim

// checkRequired reports the first required attribute, sub-attribute or extension that attrs does not have. An
// attribute of an extension is required only if the resource has the extension.
func (s *shape) checkRequired(attrs Object) error {
	for i := range s.fields {
		f := &s.fields[i]
		if f.attr == nil {
			if o, _ := attrs[f.name].(Object); o != nil {
				if err := checkRequiredIn(f.name+":", f.subs, o); err != nil {
					return err
				}
			}
		}
	}
	for _, x := range s.typ.Extensions {
		if ext := s.extension(x.Schema); x.Required && attrs[ext.name] == nil {
			return Errorf(InvalidValue, "the extension %s is required", ext.name)
		}
	}
	return checkRequiredIn("", s.fields, attrs)
}

func checkRequiredIn(prefix string, fields []field, o Object) error {
	for i := range fields {
		f := &fields[i]
		if f.attr == nil || f.apart || f.attr.Mutability == "readOnly" {
			continue
		}
		v, ok := o[f.name]
		if f.attr.Required && (!ok || v == "") { // Strict keeps empty strings, but one is no userName (RFC 7643 §4.1.1)
			return Errorf(InvalidValue, "%s%s is required", prefix, f.name)
		}
		if !ok || !f.needs {
			continue
		}
		elements, ok := v.([]any)
		if !ok {
			elements = []any{v}
		}
		for _, e := range elements {
			if e, ok := e.(Object); ok {
				if err := checkRequiredIn(prefix+f.name+".", f.subs, e); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
