"""`python -m convert`: ready to be ended before anything that takes time is imported."""

from edge.process.signals import end_on_interrupt, end_while_importing

if __name__ == "__main__":
    end_on_interrupt()
    from convert.commands.command_line import STOPPED, main

    end_while_importing(STOPPED)
    main()
