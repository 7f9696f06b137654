import { describe, expect, test } from 'vitest'
import { missingDocs } from '../../../../tools/docs/missingDocs.ts'
import { generateDocs, outdatedPages } from '../../../../tools/generateDocs.ts'

describe('generated docs', () => {
  const { pages, problems } = generateDocs()

  test('say what the tables and the public API say: run "npm run docs" if not', () => {
    expect(outdatedPages(pages)).toEqual([])
  })

  test('would miss a comment on a name, and on a field of a type that users fill in', () => {
    const documented = { doc: 'What it is.', members: new Set(['a', 'b']), memberDocs: new Map([['a', 'What a is.']]) }
    const api = [
      { ...documented, name: 'Thing' },
      { ...documented, name: 'ThingOptions' },
      { ...documented, name: 'Other', doc: '' },
    ]
    expect(missingDocs('here', new Map(api.map((name) => [name.name, name])))).toEqual([
      'here: ThingOptions.b has no doc comment',
      'here: Other has no doc comment',
    ])
  })

  test("account for every name of libtorrent's manuals, by a counterpart that exists or by a reason; and comments are there", () => {
    expect(problems).toEqual([])
  })
})
