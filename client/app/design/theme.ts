import { createTheme, type MantineColorsTuple } from '@mantine/core'

const iris: MantineColorsTuple = [
  '#eef0ff',
  '#dfe2ff',
  '#bcc2fd',
  '#969ffa',
  '#757ff6',
  '#5f69f2',
  '#4f55e6',
  '#4145cc',
  '#363aa8',
  '#2c3086',
]

export const theme = createTheme({
  primaryColor: 'iris',
  primaryShade: 6,
  colors: { iris },
  fontFamily:
    "'Inter', system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, monospace",
  fontSizes: { xs: '11px', sm: '12.5px', md: '13.5px', lg: '15px', xl: '18px' },
  defaultRadius: 8,
  cursorType: 'pointer',
  focusRing: 'auto',
  respectReducedMotion: true,
  components: {
    Tooltip: { defaultProps: { openDelay: 350, withArrow: false, fz: 'xs' } },
    Menu: { defaultProps: { shadow: 'md', radius: 10, offset: 6 } },
    Popover: { defaultProps: { shadow: 'md', radius: 10, offset: 6 } },
    Modal: {
      defaultProps: { radius: 14, centered: true, overlayProps: { backgroundOpacity: 0.35, blur: 2 } },
      styles: { title: { fontSize: 15, fontWeight: 650 } },
    },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray' } },
    Button: { defaultProps: { radius: 8 } },
    TextInput: { defaultProps: { radius: 8 } },
    PasswordInput: { defaultProps: { radius: 8 } },
    Select: { defaultProps: { radius: 8 } },
  },
})
