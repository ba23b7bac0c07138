nndslComment       #
nndslComment       Every
nndslComment       construct
nndslComment       of
nndslComment       the
nndslComment       language
nndslComment       once,
nndslComment       for
nndslComment       the
nndslComment       tests
nndslComment       of
nndslComment       the
nndslComment       plugins:
nndslComment       it
nndslComment       parses,
nndslComment       and
nndslComment       means
nndslComment       nothing.
nndslStructure     param
nndslDefined       classes
nndslOperator      =
nndslNumber        10
nndslWith          with
nndslArgument      min
nndslOperator      =
nndslNumber        2
nndslDelimiter     ,
nndslArgument      max
nndslOperator      =
nndslNumber        1_000
nndslStructure     param
nndslDefined       widths
nndslOperator      =
nndslDelimiter     [
nndslNumber        64
nndslDelimiter     ,
nndslNumber        32
nndslDelimiter     ];
nndslStructure     param
nndslDefined       slope
nndslOperator      =
nndslFloat         .5e-1
nndslStructure     param
nndslDefined       mode
nndslOperator      =
nndslString        "fast"
nndslWith          with
nndslArgument      choices
nndslOperator      =
nndslDelimiter     [
nndslString        'fast'
nndslDelimiter     ,
nndslString        "slow
nndslEscape        \"
nndslString        but
nndslEscape        \"
nndslString        sure"
nndslDelimiter     ]
nndslInclude       from
nndslString        "blocks/parts.nn"
nndslInclude       import
                   Norm
nndslDelimiter     ,
                   Gate
nndslStructure     block
nndslCall          Residual
nndslDelimiter     (
                   filters
nndslDelimiter     ,
nndslArgument      stride
nndslOperator      =
nndslNumber        1
nndslDelimiter     ,
nndslArgument      inner
nndslOperator      =
nndslCall          Dense
nndslDelimiter     (
nndslNumber        8
nndslDelimiter     ))
nndslDelimiter     {
nndslStatement     input
nndslDefined       x
nndslDefined       path
nndslOperator      =
                   x
nndslOperator      ->
nndslCall          Conv2D
nndslDelimiter     (
                   filters
nndslDelimiter     ,
nndslNumber        3
nndslDelimiter     ,
nndslArgument      strides
nndslOperator      =
                   stride
nndslDelimiter     ,
nndslArgument      padding
nndslOperator      =
                   same
nndslDelimiter     ,
nndslArgument      use_bias
nndslOperator      =
nndslConstant      false
nndslDelimiter     )
nndslOperator      ->
nndslCall          BatchNormalization
nndslDelimiter     ()
nndslOperator      ->
nndslCall          ReLU
nndslDelimiter     ()
nndslDefined       skip
nndslOperator      =
                   x
nndslOperator      ->
nndslCall          Conv2D
nndslDelimiter     (
                   filters
nndslDelimiter     ,
nndslNumber        1
nndslDelimiter     )
nndslConditional   if
                   stride
nndslOperator      !=
nndslNumber        1
nndslWordOperator  or
                   x.
nndslAttribute     shape
nndslDelimiter     [
nndslOperator      -
nndslNumber        1
nndslDelimiter     ]
nndslOperator      !=
                   filters
nndslWordOperator  and
nndslWordOperator  not
nndslConstant      false
nndslConditional   else
nndslCall          Identity
nndslDelimiter     ()
nndslStatement     output
nndslDefined       y
nndslOperator      =
nndslDelimiter     (
                   path
nndslDelimiter     ,
                   skip
nndslDelimiter     )
nndslOperator      ->
nndslCall          Add
nndslDelimiter     ()
nndslOperator      ->
nndslCall          ReLU
nndslDelimiter     ()
nndslDelimiter     }
nndslStructure     layer
nndslCall          Running
nndslDelimiter     (
                   units
nndslDelimiter     )
nndslDelimiter     {
nndslStatement     input
nndslDefined       x
nndslStatement     trainable
nndslDefined       kernel
nndslDelimiter     :
nndslDelimiter     [
                   x.
nndslAttribute     shape
nndslDelimiter     [
nndslOperator      -
nndslNumber        1
nndslDelimiter     ],
                   units
nndslDelimiter     ]
nndslOperator      =
                   glorot_uniform
nndslWith          with
nndslArgument      regularizer
nndslOperator      =
nndslCall          L2
nndslDelimiter     (
nndslFloat         0.01
nndslDelimiter     )
nndslStatement     state
nndslDefined       total
nndslDelimiter     :
nndslType          int64
nndslDelimiter     [
                   units
nndslDelimiter     ]
nndslOperator      =
                   zeros
nndslStatement     update
nndslDefined       total
nndslOperator      =
                   total
nndslOperator      +
nndslCall          cast
nndslDelimiter     (
nndslCall          sum
nndslDelimiter     (
                   x
nndslDelimiter     ,
nndslArgument      axis
nndslOperator      =
nndslNumber        0
nndslDelimiter     ),
                   int64
nndslDelimiter     )
nndslWith          with
nndslArgument      training
nndslOperator      =
nndslConstant      true
nndslStatement     output
nndslDefined       y
nndslOperator      =
                   x
nndslOperator      @
                   kernel
nndslOperator      **
nndslNumber        2
nndslOperator      -
nndslDelimiter     (
                   x
nndslDelimiter     [:,
nndslConstant      none
nndslDelimiter     ]
nndslOperator      //
nndslNumber        3
nndslDelimiter     )[
nndslOperator      ..
nndslDelimiter     ,
nndslNumber        0
nndslDelimiter     :
nndslNumber        2
nndslDelimiter     ]
nndslOperator      %
nndslNumber        4
nndslDelimiter     }
nndslStructure     model
nndslModel         First
nndslDelimiter     {
nndslSection       options
nndslDelimiter     {
nndslDefined       data_format
nndslOperator      =
                   channels_first
nndslDelimiter     ;
nndslDefined       float
nndslOperator      =
                   float64
nndslDelimiter     }
nndslStatement     input
nndslDefined       image
nndslDelimiter     :
nndslType          float
nndslDelimiter     [
nndslOperator      ?
nndslDelimiter     ,
nndslNumber        2
nndslOperator      *
                   T
nndslOperator      +
nndslNumber        1
nndslDelimiter     ,
nndslNumber        3
nndslDelimiter     ]
nndslStatement     input
nndslDefined       wave
nndslDelimiter     :
nndslType          float
nndslDelimiter     [
nndslNumber        20
nndslDelimiter     ,
nndslNumber        1
nndslDelimiter     ]
nndslWith          with
nndslArgument      batch
nndslOperator      =
nndslNumber        50
nndslStatement     shared
nndslDefined       encoder
nndslOperator      =
nndslCall          LSTM
nndslDelimiter     (
nndslNumber        32
nndslDelimiter     ,
nndslArgument      return_state
nndslOperator      =
nndslConstant      true
nndslDelimiter     )
nndslDelimiter     (
                   sequence
nndslDelimiter     ,
                   _
nndslDelimiter     ,
                   c
nndslDelimiter     )
nndslOperator      =
                   wave
nndslOperator      ->
nndslCall          encoder
nndslDelimiter     (
nndslArgument      initial_state
nndslOperator      =
nndslDelimiter     (
                   h
nndslDelimiter     ,
                   c
nndslDelimiter     ))
nndslDefined       h
nndslOperator      =
                   image
nndslOperator      ->
nndslRepeat        repeat
nndslDelimiter     (
                   f
nndslDelimiter     ,
                   depth
nndslDelimiter     )
nndslRepeat        in
nndslDelimiter     [(
nndslNumber        16
nndslDelimiter     ,
nndslNumber        2
nndslDelimiter     ),
nndslDelimiter     (
nndslNumber        32
nndslDelimiter     ,
nndslNumber        3
nndslDelimiter     )]
nndslDelimiter     {
nndslRepeat        repeat
                   depth
nndslDelimiter     {
nndslCall          Conv2D
nndslDelimiter     (
                   f
nndslDelimiter     ,
nndslNumber        3
nndslDelimiter     )
nndslDelimiter     }
nndslOperator      ->
nndslCall          MaxPooling2D
nndslDelimiter     (
nndslNumber        2
nndslDelimiter     )
nndslDelimiter     }
nndslDefined       t
nndslOperator      =
                   image
nndslOperator      ->
nndslRepeat        repeat
                   i
nndslRepeat        in
nndslNumber        0
nndslOperator      ..
nndslNumber        4
nndslDelimiter     {
nndslCall          Dense
nndslDelimiter     (
nndslNumber        2
nndslOperator      **
                   i
nndslDelimiter     )
nndslDelimiter     }
nndslOperator      ->
nndslConditional   branch
nndslDelimiter     {
nndslCall          Identity
nndslDelimiter     ();
nndslCall          Dense
nndslDelimiter     (
nndslNumber        3
nndslDelimiter     )
nndslOperator      ->
nndslCall          ReLU
nndslDelimiter     ()
nndslCall          Dense
nndslDelimiter     (
nndslNumber        4
nndslDelimiter     ,
nndslArgument      data
nndslOperator      =
nndslNumber        1
nndslDelimiter     ,
nndslArgument      weight
nndslOperator      =
nndslNumber        2
nndslDelimiter     ,
nndslArgument      in
nndslOperator      =
nndslNumber        3
nndslDelimiter     )
nndslDelimiter     }
nndslOperator      ->
nndslCall          Concatenate
nndslDelimiter     ()
nndslStatement     output
nndslDefined       age
nndslOperator      =
                   h
nndslOperator      ->
nndslCall          Dense
nndslDelimiter     (
nndslNumber        1
nndslDelimiter     )
nndslWith          with
nndslArgument      loss
nndslOperator      =
                   mse
nndslDelimiter     ,
nndslArgument      weight
nndslOperator      =
nndslFloat         0.25
nndslDelimiter     ,
nndslArgument      metrics
nndslOperator      =
nndslDelimiter     [
                   accuracy
nndslDelimiter     ]
nndslStatement     output
nndslDefined       h
nndslStatement     penalty
nndslDefined       kl
nndslOperator      =
nndslOperator      -
nndslFloat         0.5
nndslOperator      *
nndslCall          sum
nndslDelimiter     (
nndslNumber        1
nndslOperator      +
                   h
nndslOperator      -
nndslCall          square
nndslDelimiter     (
                   c
nndslDelimiter     )
nndslOperator      >=
nndslNumber        0
nndslDelimiter     )
nndslWith          with
nndslArgument      weight
nndslOperator      =
nndslFloat         0.001
nndslStatement     submodel
nndslCall          both
nndslDelimiter     (
                   image
nndslDelimiter     ,
                   wave
nndslDelimiter     )
nndslOperator      =
nndslDelimiter     (
                   h
nndslDelimiter     ,
                   c
nndslDelimiter     )
nndslStatement     submodel
nndslCall          one
nndslDelimiter     (
                   wave
nndslDelimiter     )
nndslOperator      =
                   c
nndslSection       train
nndslDelimiter     {
nndslDefined       optimizer
nndslOperator      =
nndslCall          Adam
nndslDelimiter     (
nndslArgument      learning_rate
nndslOperator      =
nndslFloat         1e-3
nndslDelimiter     )
nndslDefined       class_weight
nndslOperator      =
nndslConstant      none
nndslDelimiter     }
nndslSection       data
nndslDelimiter     {
nndslStatement     source
nndslDefined       table
nndslOperator      =
nndslCall          csv
nndslDelimiter     (
nndslString        "a.csv"
nndslDelimiter     ,
nndslArgument      header
nndslOperator      =
nndslConstant      false
nndslDelimiter     )
nndslWith          with
nndslArgument      test
nndslOperator      =
nndslFloat         0.2
nndslDelimiter     ,
nndslArgument      seed
nndslOperator      =
nndslNumber        7
nndslDefined       image
nndslOperator      =
                   table
nndslDelimiter     [
nndslNumber        0
nndslDelimiter     :
nndslNumber        8
nndslDelimiter     ]
nndslOperator      ->
nndslCall          scale
nndslDelimiter     (
nndslNumber        1
nndslOperator      /
nndslNumber        255
nndslDelimiter     )
nndslDefined       wave
nndslOperator      =
                   table.
nndslAttribute     wave
nndslDelimiter     }
nndslDelimiter     }
