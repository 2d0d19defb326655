package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// goPackage is the content of the generated files of one Go package: descriptors and doc comments.
type goPackage struct {
	importPath protogen.GoImportPath
	files      []*descriptorpb.FileDescriptorProto
	docs       *docs
}

// docs are the doc comments of a package, by Go name.
type docs struct {
	names   map[string]string // types and constants
	members map[member]string // fields of structs, methods of interfaces
}

type member struct{ owner, name string }

// readPackages reads the packages that the patterns match, and all their imports.
func readPackages(patterns []string) ([]goPackage, error) {
	arguments := []string{"list", "-mod=mod", "-deps", "-json=Dir,ImportPath,GoFiles,Standard"}
	list := exec.Command("go", append(arguments, patterns...)...)
	list.Stderr = os.Stderr
	output, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var packages []goPackage
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var listed struct {
			Dir, ImportPath string
			GoFiles         []string
			Standard        bool
		}
		if err := decoder.Decode(&listed); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		if listed.Standard {
			continue
		}
		read := goPackage{
			importPath: protogen.GoImportPath(listed.ImportPath),
			docs:       &docs{names: map[string]string{}, members: map[member]string{}},
		}
		for _, name := range listed.GoFiles {
			if !strings.HasSuffix(name, ".pb.go") || strings.HasSuffix(name, "_vtproto.pb.go") {
				continue
			}
			if err := read.addFile(filepath.Join(listed.Dir, name)); err != nil {
				return nil, err
			}
		}
		if len(read.files) > 0 {
			packages = append(packages, read)
		}
	}
}

func (p *goPackage) addFile(path string) error {
	source, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, declaration := range source.Decls {
		general, ok := declaration.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range general.Specs {
			switch spec := spec.(type) {
			case *ast.ValueSpec:
				if err := p.addValue(spec); err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
			case *ast.TypeSpec:
				p.docs.addType(spec, general.Doc)
			}
		}
	}
	return nil
}

func (p *goPackage) addValue(spec *ast.ValueSpec) error {
	name := spec.Names[0].Name
	p.docs.names[name] = commentText(spec.Doc)
	if !strings.HasSuffix(name, "_rawDesc") || len(spec.Values) != 1 {
		return nil
	}
	var raw []byte
	if err := appendConstant(&raw, spec.Values[0]); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	file := &descriptorpb.FileDescriptorProto{}
	if err := proto.Unmarshal(raw, file); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	p.files = append(p.files, file)
	return nil
}

// appendConstant evaluates "a" + "b", and []byte{1, 2}, which older generators write.
func appendConstant(to *[]byte, expression ast.Expr) error {
	switch x := expression.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(x.Value)
		*to = append(*to, text...)
		return err
	case *ast.BinaryExpr:
		return errors.Join(appendConstant(to, x.X), appendConstant(to, x.Y))
	case *ast.ParenExpr:
		return appendConstant(to, x.X)
	case *ast.CompositeLit:
		for _, element := range x.Elts {
			literal, ok := element.(*ast.BasicLit)
			if !ok {
				return fmt.Errorf("unexpected %T in a raw descriptor", element)
			}
			value, err := strconv.ParseUint(literal.Value, 0, 8)
			if err != nil {
				return err
			}
			*to = append(*to, byte(value))
		}
		return nil
	}
	return fmt.Errorf("unexpected %T as a raw descriptor", expression)
}

func (d *docs) addType(spec *ast.TypeSpec, group *ast.CommentGroup) {
	doc := spec.Doc
	if doc == nil {
		doc = group
	}
	owner := spec.Name.Name
	d.names[owner] = commentText(doc)
	var members *ast.FieldList
	switch kind := spec.Type.(type) {
	case *ast.StructType:
		members = kind.Fields
	case *ast.InterfaceType:
		members = kind.Methods
	default:
		return
	}
	for _, field := range members.List {
		for _, name := range field.Names {
			d.members[member{owner, name.Name}] = commentText(field.Doc)
		}
	}
}

// commentText is the comment of the .proto file, without the lines that protoc-gen-go adds at the end.
func commentText(group *ast.CommentGroup) string {
	if group == nil {
		return ""
	}
	var lines []string
	for _, line := range group.List {
		text := strings.TrimPrefix(line.Text, "//")
		if strings.HasPrefix(text, " Deprecated: Marked as deprecated in") || strings.HasPrefix(text, " Types that are") {
			break
		}
		lines = append(lines, text)
	}
	text := strings.TrimRight(strings.Join(lines, "\n"), " \n")
	if text == "" {
		return ""
	}
	return text + "\n"
}
