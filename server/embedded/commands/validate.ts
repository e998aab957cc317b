import { checkCollection } from '../tools/check.ts'
import { requireCollection } from './diagnostics.ts'
import { type Handler, ok, type Request } from './request.ts'

/** So many are told; an answer has its limit. */
const MAX_ERRORS = 1000

/** Compares every index with the documents, both ways. */
export const validate: Handler = {
  options: ['validate', 'full', 'repair', 'metadata', 'checkBSONConformance', 'background'],
  run: async (request: Request) => {
    const collection = requireCollection(request)
    await request.engine.store.commit()
    const errors: string[] = []
    const { documents, keysPerIndex } = await checkCollection(request.engine, collection, (wrong) => {
      if (errors.length < MAX_ERRORS) errors.push(wrong)
    })
    return ok({
      ns: collection.namespace,
      nInvalidDocuments: 0,
      nrecords: documents,
      nIndexes: collection.indexes.length + 1,
      keysPerIndex,
      valid: errors.length === 0,
      repaired: false,
      warnings: [],
      errors,
      extraIndexEntries: [],
      missingIndexEntries: [],
    })
  },
}
