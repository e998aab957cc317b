import type { MediaId } from '../../../models/ids.ts'
import { apiUrl } from '../base.ts'
import { freshToken } from '../session/session.ts'
import { isProblem, Refused, Unreachable, unnamedProblem } from './transport.ts'

export interface Uploaded {
  id: MediaId
  name: string
  mime: string
  size: number
}

/** Sends a file, telling how far it is: the one thing `fetch` cannot say. */
export async function upload(
  file: File,
  signal: AbortSignal,
  onProgress: (share: number) => void,
): Promise<Uploaded> {
  const token = await freshToken()
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', apiUrl('media'))
    request.setRequestHeader('authorization', `Bearer ${token}`)
    request.responseType = 'json'
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0)
    request.onload = () => {
      const answer: unknown = request.response
      if (request.status < 300) resolve(answer as Uploaded)
      else reject(new Refused(isProblem(answer) ? answer : unnamedProblem(request.status)))
    }
    request.onerror = () => reject(new Unreachable('The upload did not get through.'))
    request.onabort = () => reject(new DOMException('Cancelled', 'AbortError'))
    signal.addEventListener('abort', () => request.abort())
    const form = new FormData()
    form.append('file', file, file.name)
    request.send(form)
  })
}
