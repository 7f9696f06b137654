import { describe, expect, test } from 'vitest'
import { generateDocs, outdatedPages } from '../../../../tools/generateDocs.ts'

describe('generated docs', () => {
  const { pages, problems } = generateDocs()

  test('say what the tables and the public API say: run "npm run docs" if not', () => {
    expect(outdatedPages(pages)).toEqual([])
  })

  test("account for every name of libtorrent's manuals, by a counterpart that exists or by a reason", () => {
    expect(problems).toEqual([])
  })
})
