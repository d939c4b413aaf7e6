/**
 * What of a Schema's encoded side MessagePack cannot say, and how it goes instead: a map as pairs, a set as a list, an `Option`, a date, a URL as
 * Effect's own JSON has them, `undefined` as nil.
 *
 * ```
 *   message ─ Schema ─▶ encoded ─ wire form ─▶ what a body may hold ─▶ bytes
 * ```
 *
 * Specification: what MessagePack has goes as it is: texts, numbers, 64-bit integers, bytes. A Schema of nothing else has no wire form of its own,
 * and a field that a later version adds changes no other one's. A field that is `undefined` is left out, and is `undefined` again.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as SchemaTransformation from "effect/SchemaTransformation"

type AST = SchemaAST.AST

const schemaOf = (ast: AST): Schema.Codec<unknown> => Schema.make<Schema.Codec<unknown>>(ast)

/** Goes as it is, whatever JSON would do to it. */
const asItIs = (is: (value: unknown) => boolean): AST =>
  Schema.declare((value): value is unknown => is(value), { toCodecJson: () => undefined }).ast

const ANYTHING = asItIs(() => true)
const NUMBER = asItIs((value) => typeof value === "number")
const BIGINT = asItIs((value) => typeof value === "bigint")
const UNDEFINED = asItIs((value) => value === undefined)
const OBJECT = asItIs((value) => (typeof value === "object" && value !== null) || typeof value === "function")

const mayBeMissing = (ast: AST, like: AST): AST =>
  SchemaAST.isOptional(like) && !SchemaAST.isOptional(ast) ? Schema.optionalKey(schemaOf(ast)).ast : ast

/** On the way a field without a value is not there; here it is, and has none. */
const leftOut = SchemaTransformation.transformOptional<unknown, unknown>({
  decode: (input) => Option.orElseSome(input, () => undefined),
  encode: (input) => Option.filter(input, (value) => value !== undefined)
})

class Walk {
  /** By node, those of fields and of others apart: a Schema may be in itself. */
  readonly #fields: Map<AST, AST> = new Map()
  readonly #others: Map<AST, AST> = new Map()
  hasWireForm = false

  #changed(ast: AST): AST {
    this.hasWireForm = true
    return ast
  }

  /** `isField`: of an object, where `undefined` is left out. */
  of(ast: AST, isField: boolean): AST {
    return mayBeMissing(this.#of(ast, isField), ast)
  }

  #of(ast: AST, isField: boolean): AST {
    switch (ast._tag) {
      case "Number":
        return NUMBER
      case "BigInt":
        return BIGINT
      case "Unknown":
      case "Any":
        return ANYTHING
      case "ObjectKeyword":
        return OBJECT
      case "Literal":
        return typeof ast.literal === "bigint" ? asItIs((value) => value === ast.literal) : ast
      case "Undefined":
      case "Void":
        return isField ? UNDEFINED : this.#changed(ast)
      case "Symbol":
      case "UniqueSymbol":
        return this.#changed(ast)
      case "Declaration":
        return this.#declaration(ast)
      case "Arrays": {
        const [elements, rest] = [ast.elements, ast.rest].map((each) => each.map((item) => this.of(item, false)))
        return new SchemaAST.Arrays(ast.isMutable, elements ?? [], rest ?? [], ast.annotations)
      }
      case "Objects":
        return this.#object(ast)
      case "Union":
        return new SchemaAST.Union(
          ast.types.map((type) => this.of(type, isField)),
          ast.options,
          ast.annotations
        )
      case "Suspend":
        return this.#suspended(ast, isField ? this.#fields : this.#others, isField)
      default:
        return ast
    }
  }

  /** Bytes, and what nobody has a JSON form of, go as they are. What is checked of them is the Schema's matter. */
  #declaration({ annotations, run, typeParameters }: SchemaAST.Declaration): AST {
    const parameters = typeParameters.map((each) => this.of(each, false))
    const unchecked = new SchemaAST.Declaration(parameters, run, annotations)
    const is = Schema.is(schemaOf(unchecked))
    const form = annotations?.["toCodecJson"] ?? annotations?.["toCodec"]
    if (typeof form !== "function" || is(new Uint8Array(0))) return asItIs(is)
    return form(parameters.map(schemaOf)) === undefined ? unchecked : this.#changed(unchecked)
  }

  #object(ast: SchemaAST.Objects): AST {
    const fields = ast.propertySignatures.map(({ name, type }) => {
      const field = this.of(type, true)
      const isLeftOut = !SchemaAST.isOptional(type) && Schema.is(schemaOf(type))(undefined)
      if (!isLeftOut) return new SchemaAST.PropertySignature(name, field)
      const wire = Schema.optionalKey(schemaOf(field)).ast
      return new SchemaAST.PropertySignature(name, this.#changed(SchemaAST.decodeTo(wire, ANYTHING, leftOut)))
    })
    const others = ast.indexSignatures.map(
      ({ parameter, type }) => new SchemaAST.IndexSignature(parameter, this.of(type, true))
    )
    return new SchemaAST.Objects(fields, others, ast.annotations)
  }

  #suspended(ast: SchemaAST.Suspend, known: Map<AST, AST>, isField: boolean): AST {
    const inner = ast.thunk()
    if (!known.has(inner)) {
      known.set(inner, inner)
      known.set(inner, this.of(inner, isField))
    }
    return new SchemaAST.Suspend(() => known.get(inner) ?? inner, ast.annotations)
  }
}

/** From what a Schema encodes to what a body may hold, and back; `undefined` where that is the same. */
export const wireFormOf = (schema: Schema.Codec<unknown, unknown>): Schema.Codec<unknown, unknown> | undefined => {
  const walk = new Walk()
  const ast = walk.of(SchemaAST.toEncoded(schema.ast), false)
  return walk.hasWireForm ? Schema.toCodecJson(schemaOf(ast)) : undefined
}
