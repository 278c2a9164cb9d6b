internal import Platform

Interruption.install()
HostSystem.keepFreedMemory()
HostSystem.exit(Invocation.run(HostSystem.arguments.dropFirst()).code)
