from segnet_hpu.cli import main

raise SystemExit(main())
