import { Menu, UnstyledButton, useMantineColorScheme } from '@mantine/core'
import { IconCheck, IconDeviceDesktop, IconLogout, IconMoon, IconSun } from '@tabler/icons-react'
import { Avatar } from '../design/Avatar.tsx'
import { useConnection } from '../live/connection.ts'
import { signOut } from '../session/session.ts'
import { useMe } from '../session/useWorkspace.ts'
import { text } from '../text.ts'
import classes from './AccountMenu.module.css'

const SCHEMES = [
  { value: 'light', icon: IconSun, name: text.nav.light },
  { value: 'dark', icon: IconMoon, name: text.nav.dark },
  { value: 'auto', icon: IconDeviceDesktop, name: text.nav.system },
] as const

export function AccountMenu() {
  const me = useMe()
  const connected = useConnection((state) => state.connected)
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  return (
    <Menu position="top-start" width={200}>
      <Menu.Target>
        <UnstyledButton
          className={classes.account}
          aria-label={text.nav.account(me.name)}
          data-testid="account-menu"
        >
          <Avatar id={me.id} name={me.name} size={26} here={connected} />
          <bdi className={classes.name}>{me.name}</bdi>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{text.nav.appearance}</Menu.Label>
        {SCHEMES.map(({ value, icon: Icon, name }) => (
          <Menu.Item
            key={value}
            role="menuitemradio"
            aria-checked={colorScheme === value}
            leftSection={<Icon size={15} />}
            rightSection={colorScheme === value ? <IconCheck size={14} /> : null}
            onClick={() => setColorScheme(value)}
          >
            {name}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item
          leftSection={<IconLogout size={15} />}
          onClick={() => void signOut()}
          data-testid="sign-out"
        >
          {text.nav.signOut}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
