/** What arrives as JSON from another program: fields are checked as they are read. */
export type Fields = Readonly<Record<string, unknown>>

/** The object in `text`, or null when it is not one. */
export function parseFields(text: string): Fields | null {
  try {
    const value: unknown = JSON.parse(text)
    return asFields(value)
  } catch {
    return null
  }
}

export function asFields(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null
}

export function numberField(fields: Fields, name: string): number {
  const value = fields[name]
  if (typeof value !== 'number') throw new Error(`no number '${name}' in ${JSON.stringify(fields)}`)
  return value
}

export function stringField(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string') throw new Error(`no string '${name}' in ${JSON.stringify(fields)}`)
  return value
}
