import { IconAddressBook, IconCurrentLocation, IconMapPin, IconPhoto } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import type { SandboxChannel } from '../../../server/sandbox/protocol.ts'
import type { Draft } from '../api.ts'
import { appOf } from '../apps.tsx'

const PLACES = [
  { name: 'Nairobi, Kenyatta Avenue', latitude: -1.28537, longitude: 36.82119 },
  { name: 'Paris, Gare de Lyon', latitude: 48.84437, longitude: 2.37439 },
  { name: 'New York, Bryant Park', latitude: 40.75362, longitude: -73.98377 },
]

interface Props {
  channel: SandboxChannel
  onClose: () => void
  onFile: (file: File) => void
  onSend: (draft: Omit<Draft, 'channel'>) => void
}

export function AttachSheet({ channel, onClose, onFile, onSend }: Props) {
  const [places, setPlaces] = useState(false)
  const picker = useRef<HTMLInputElement>(null)
  const sheet = useRef<HTMLDivElement>(null)

  useEffect(() => {
    sheet.current?.querySelector('button')?.focus()
    const leave = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') onClose()
    }
    document.addEventListener('keydown', leave)
    return () => document.removeEventListener('keydown', leave)
  }, [onClose])

  const share = (draft: Omit<Draft, 'channel'>): void => {
    onSend(draft)
    onClose()
  }
  const shareReal = (): void => {
    navigator.geolocation?.getCurrentPosition(({ coords: { latitude, longitude } }) =>
      share({ location: { latitude, longitude } }),
    )
  }

  return (
    <div className="sheet" ref={sheet}>
      <input
        ref={picker}
        type="file"
        hidden
        aria-hidden="true"
        tabIndex={-1}
        onChange={({ currentTarget: { files } }) => {
          const [file] = files ?? []
          if (file) onFile(file)
          onClose()
        }}
      />
      {places ? (
        <ul className="places">
          {PLACES.map((place) => (
            <li key={place.name}>
              <button type="button" onClick={() => share({ location: place })}>
                <IconMapPin size={18} stroke={1.7} aria-hidden="true" /> {place.name}
              </button>
            </li>
          ))}
          <li>
            <button type="button" onClick={shareReal}>
              <IconCurrentLocation size={18} stroke={1.7} aria-hidden="true" /> Where I really am
            </button>
          </li>
        </ul>
      ) : (
        <div className="sheet-choices">
          <button type="button" onClick={() => picker.current?.click()}>
            <span className="sheet-icon sheet-photo">
              <IconPhoto size={24} stroke={1.7} />
            </span>
            Photo or file
          </button>
          <button type="button" onClick={() => setPlaces(true)}>
            <span className="sheet-icon sheet-place">
              <IconMapPin size={24} stroke={1.7} />
            </span>
            Location
          </button>
          {appOf(channel).sharesNumber && (
            <button type="button" onClick={() => share({ contact: 'own' })}>
              <span className="sheet-icon sheet-contact">
                <IconAddressBook size={24} stroke={1.7} />
              </span>
              My number
            </button>
          )}
        </div>
      )}
    </div>
  )
}
