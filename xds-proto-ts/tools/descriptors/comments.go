package main

import (
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// comments collects the locations of one .proto file that have a comment.
type comments struct {
	docs      *docs
	locations []*descriptorpb.SourceCodeInfo_Location
}

func (c *comments) add(at protogen.Location, text string) {
	if text == "" {
		return
	}
	c.locations = append(c.locations, &descriptorpb.SourceCodeInfo_Location{
		Path:            at.Path,
		Span:            []int32{0, 0, 0},
		LeadingComments: proto.String(text),
	})
}

func (c *comments) addMessages(messages []*protogen.Message) {
	for _, message := range messages {
		c.add(message.Location, c.docs.names[message.GoIdent.GoName])
		for _, field := range message.Fields {
			owner := message.GoIdent.GoName
			if field.Oneof != nil && !field.Oneof.Desc.IsSynthetic() {
				// Each member of a oneof is a separate struct with a single field.
				owner = field.GoIdent.GoName
			}
			c.add(field.Location, c.docs.members[member{owner, field.GoName}])
		}
		c.addMessages(message.Messages)
		c.addEnums(message.Enums)
	}
}

func (c *comments) addEnums(enums []*protogen.Enum) {
	for _, enum := range enums {
		c.add(enum.Location, c.docs.names[enum.GoIdent.GoName])
		for _, value := range enum.Values {
			c.add(value.Location, c.docs.names[value.GoIdent.GoName])
		}
	}
}

func (c *comments) addServices(services []*protogen.Service) {
	for _, service := range services {
		for _, method := range service.Methods {
			c.add(method.Location, c.docs.members[member{service.GoName + "Client", method.GoName}])
		}
	}
}
